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

/** Draws a chart; its library is loaded with the first chart. */
export default function Plot(props: PlotProps) {
  const { data, rows, width, height, title, hasYAxis, hasTooltip, barGap, barCategoryGap } = props
  const { series, isXHidden } = data
  const locale = useLocale()
  const short = useMemo(() => new Intl.NumberFormat(locale, { notation: 'compact' }), [locale])
  // A field's name could mean something to the library; a number cannot.
  const points = useMemo(() => rows.map(({ values }, place) => ({ place, ...values })), [rows])
  const ticks = useMemo(() => ticksOf(rows.length, width), [rows.length, width])
  const base = useMemo(() => baseOf(rows), [rows])
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
          content={({ active, payload, label }: Pointed) =>
            active && <PointValues title={labelAt(label)} series={series} payload={payload} />
          }
        />
      )}
      {series.map((each, index) => drawn(each, index, rows.length, base))}
    </ComposedChart>
  )
}

type Pointed = Pick<TooltipContentProps, 'active' | 'payload' | 'label'>

interface PointValuesProps extends Pick<Pointed, 'payload'> {
  title: string
  series: readonly Series[]
}

/** The values of all series at the point under the pointer. */
function PointValues({ title, series, payload }: PointValuesProps) {
  const format = new Intl.NumberFormat(useLocale(), { maximumFractionDigits: 3 })
  return (
    <div className="chart-tooltip">
      <div className="chart-tooltip-title">{title}</div>
      {payload.map(({ dataKey, value }) => {
        const each = series[Number(dataKey)]
        return (
          each && (
            <div key={String(dataKey)} className="chart-tooltip-row">
              <span className="chart-mark" style={{ backgroundColor: each.color }} />
              <span>{each.label}</span>
              <span className="chart-value">{format.format(Number(value))}</span>
            </div>
          )
        )
      })}
    </div>
  )
}

/** Return where to draw labels: few, since the library measures each, which takes the most time. */
function ticksOf(count: number, width: number): number[] {
  const step = Math.max(1, Math.ceil(count / Math.max(2, width / TICK_WIDTH)))
  return Array.from({ length: Math.ceil(count / step) }, (_, index) => index * step)
}

/** Return where areas begin: at zero or, if nothing is above zero, at the bottom. */
function baseOf(rows: readonly Row[]): 'dataMin' | 0 {
  return rows.every(({ values }) => values.every((value) => (value ?? 0) <= 0)) ? 'dataMin' : 0
}

/** Return the drawing of a series; a single point is a dot, since a line would have no length. */
function drawn(
  { type, color, stack, curve }: Series,
  index: number,
  count: number,
  base: 'dataMin' | 0,
) {
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
          baseValue={base}
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
