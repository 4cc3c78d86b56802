import {
  lazy,
  startTransition,
  Suspense,
  useEffect,
  useMemo,
  useRef,
  useState,
  type CSSProperties,
  type RefObject,
} from 'react'

import { useText } from '../ui/context'
import { patiently } from '../chat/patiently'
import { blockStyle } from './boxStyle'
import { chartData, type ChartData, type Row } from './chart/data'
import { sample } from './chart/sample'
import type { ComponentProps } from './Component'
import { isTrue, numberOf } from './values'

const Plot = lazy(() => patiently(() => import('./chart/Plot')))

/** The least distance between points or bars, in pixels. */
const POINT = 4
const BAR = 10
/** The most rows in the table for screen readers. */
const MOST_READ = 100

export function Chart({ widget }: ComponentProps) {
  const text = useText()
  const area = useRef<HTMLDivElement>(null)
  const { width, height } = useSize(area)
  const data = useMemo(() => chartData(widget), [widget])
  const hasBars = data.series.some(({ type }) => type === 'bar')
  const room = Math.ceil(width / 50) * 50
  const rows = useMemo(
    () => sample(data.rows, Math.max(2, Math.floor(room / (hasBars ? BAR : POINT)))),
    [data, room, hasBars],
  )
  const names = data.series.map(({ label }) => label).join(', ')
  const title = `${text('chart')}: ${names}`
  const isEmpty = data.rows.length === 0 || data.series.length === 0
  return (
    <figure className="widget-chart" style={chartStyle(widget)} aria-label={title}>
      <div ref={area} className="chart-area">
        {isEmpty && <p className="caption">{text('nothingFound')}</p>}
        {!isEmpty && width > 0 && (
          <Suspense>
            <Plot
              data={data}
              rows={rows}
              width={width}
              height={height}
              title={title}
              hasYAxis={isTrue(widget['showYAxis'])}
              hasTooltip={widget['showTooltip'] !== false}
              barGap={gapOf(widget['barGap'])}
              barCategoryGap={gapOf(widget['barCategoryGap'])}
            />
          </Suspense>
        )}
      </div>
      {widget['showLegend'] !== false && !isEmpty && <Legend data={data} />}
      {!isEmpty && <Read data={data} title={title} />}
    </figure>
  )
}

/** Return the size of a chart; without a height, the height follows from the width. */
function chartStyle(widget: ComponentProps['widget']): CSSProperties {
  const style = blockStyle(widget)
  const hasHeight = style.height !== undefined || style.aspectRatio !== undefined
  return { ...style, ...(!hasHeight && { aspectRatio: '16 / 9' }) }
}

function gapOf(value: unknown): number | undefined {
  const gap = numberOf(value)
  return gap === null ? undefined : Math.max(0, Math.min(100, gap))
}

function useSize(area: RefObject<HTMLElement | null>): { width: number; height: number } {
  const [size, setSize] = useState({ width: 0, height: 0 })
  useEffect(() => {
    if (area.current === null) return undefined
    const observer = new ResizeObserver(([entry]) => {
      if (entry === undefined) return
      const { width, height } = entry.contentRect
      startTransition(() => setSize({ width: Math.floor(width), height: Math.floor(height) }))
    })
    observer.observe(area.current)
    return () => observer.disconnect()
  }, [area])
  return size
}

function Legend({ data }: { data: ChartData }) {
  return (
    <ul className="chart-legend" aria-hidden="true">
      {data.series.map(({ label, color }, index) => (
        <li key={index}>
          <span className="chart-mark" style={{ backgroundColor: color }} />
          {label}
        </li>
      ))}
    </ul>
  )
}

/** The data of a chart as a table, for screen readers. */
function Read({ data, title }: { data: ChartData; title: string }) {
  const rows: readonly Row[] = sample(data.rows, MOST_READ)
  return (
    <table className="visually-hidden">
      <caption>{title}</caption>
      <thead>
        <tr>
          <td />
          {data.series.map(({ label }, index) => (
            <th key={index} scope="col">
              {label}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map(({ label, values }, index) => (
          <tr key={index}>
            <th scope="row">{label || index + 1}</th>
            {values.map((value, series) => (
              <td key={series}>{value}</td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  )
}
