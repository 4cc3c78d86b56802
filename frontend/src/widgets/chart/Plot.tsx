import { useMemo } from 'react'
import {
  Area,
  Bar,
  CartesianGrid,
  ComposedChart,
  Line,
  Tooltip,
  XAxis,
  YAxis,
  type TooltipContentProps,
} from 'recharts'

import { useLocale } from '../../ui/context'
import type { ChartData, Row, Series } from './data'

interface PlotProps {
  data: ChartData
  /** The rows that are drawn. */
  rows: readonly Row[]
  width: number
  height: number
  title: string
  hasYAxis: boolean
  hasTooltip: boolean
  barGap: number | undefined
  barCategoryGap: number | undefined
}

/** The least width of a label, in pixels. */
const TICK_WIDTH = 56
const TICK = { fill: 'var(--color-text-secondary)', fontSize: '0.75rem' }

/** The drawing of a chart, whose library is loaded with the first. */
export default function Plot(props: PlotProps) {
  const { data, rows, width, height, title, hasYAxis, hasTooltip, barGap, barCategoryGap } = props
  const { series, isXHidden } = data
  const locale = useLocale()
  const [short, whole] = useMemo(
    () => [
      new Intl.NumberFormat(locale, { notation: 'compact' }),
      new Intl.NumberFormat(locale, { maximumFractionDigits: 3 }),
    ],
    [locale],
  )
  // Names of fields could mean anything to the library; places cannot.
  const points = useMemo(() => rows.map(({ values }, place) => ({ place, ...values })), [rows])
  const ticks = useMemo(() => ticksOf(rows.length, width), [rows.length, width])
  const labelAt = (place: unknown): string => rows[Number(place)]?.label ?? ''
  return (
    <ComposedChart
      data={points}
      width={width}
      height={height}
      margin={{ top: 8, right: 8, bottom: 0, left: hasYAxis ? 0 : 8 }}
      title={title}
      accessibilityLayer={hasTooltip}
      {...(barGap !== undefined && { barGap })}
      {...(barCategoryGap !== undefined && { barCategoryGap })}
    >
      <CartesianGrid vertical={false} stroke="var(--color-border-subtle)" />
      <XAxis
        dataKey="place"
        tick={TICK}
        hide={isXHidden}
        ticks={ticks}
        tickFormatter={labelAt}
        tickLine={false}
        axisLine={false}
        interval="preserveStartEnd"
        minTickGap={24}
        tickMargin={8}
        height={28}
      />
      <YAxis
        hide={!hasYAxis}
        tick={TICK}
        tickFormatter={(value: number) => short.format(value)}
        tickLine={false}
        axisLine={false}
        width="auto"
      />
      {hasTooltip && (
        <Tooltip
          isAnimationActive={false}
          cursor={{ fill: 'var(--alpha-06)', stroke: 'var(--alpha-10)' }}
          content={({
            active,
            payload,
            label,
          }: Pick<TooltipContentProps, 'active' | 'payload' | 'label'>) =>
            active ? (
              <div className="chart-tooltip">
                <div className="chart-tooltip-title">{labelAt(label)}</div>
                {payload.map(({ dataKey, value }) => {
                  const each = series[Number(dataKey)]
                  return (
                    each && (
                      <div key={String(dataKey)} className="chart-tooltip-row">
                        <span className="chart-mark" style={{ backgroundColor: each.color }} />
                        <span>{each.label}</span>
                        <span className="chart-value">{whole.format(Number(value))}</span>
                      </div>
                    )
                  )
                })}
              </div>
            ) : null
          }
        />
      )}
      {series.map((each, index) => drawn(each, index, rows.length))}
    </ComposedChart>
  )
}

/** Where labels may stand; each is measured before it is drawn, which costs more than all the rest. */
function ticksOf(count: number, width: number): number[] {
  const step = Math.max(1, Math.ceil(count / Math.max(2, width / TICK_WIDTH)))
  return Array.from({ length: Math.ceil(count / step) }, (_, index) => index * step)
}

/** Where a single point is all there is, a line has no length, and is a dot. */
function drawn({ type, color, stack, curve }: Series, index: number, count: number) {
  const shared = { dataKey: String(index), isAnimationActive: false }
  const stacked = stack === undefined ? {} : { stackId: stack }
  const dot = count === 1 ? { fill: color, stroke: color, r: 4 } : false
  switch (type) {
    case 'bar':
      return (
        <Bar
          key={index}
          {...shared}
          {...stacked}
          fill={color}
          radius={stack === undefined ? 3 : 0}
        />
      )
    case 'area':
      return (
        <Area
          key={index}
          {...shared}
          {...stacked}
          type={curve}
          stroke={color}
          strokeWidth={2}
          fill={color}
          fillOpacity={0.2}
          dot={dot}
        />
      )
    case 'line':
      return <Line key={index} {...shared} type={curve} stroke={color} strokeWidth={2} dot={dot} />
  }
}
