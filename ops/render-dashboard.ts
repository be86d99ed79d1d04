import { rows, type Panel, type Row } from './dashboard.ts'

const datasource = { type: 'prometheus', uid: '${datasource}' }
const columns = 24
const heights = { stat: 4, timeseries: 8 } as const

/** The dashboard as Grafana imports it. */
export function renderDashboard(): string {
  let id = 0
  let y = 0
  const panels: object[] = []
  for (const row of rows) {
    panels.push({
      id: ++id,
      type: 'row',
      title: row.title,
      collapsed: false,
      gridPos: { x: 0, y: y++, w: columns, h: 1 },
      panels: [],
    })
    y = placeRow(row, y, (panel, gridPos) => panels.push(renderPanel(panel, ++id, gridPos)))
  }
  const dashboard = {
    uid: 'leasehold',
    title: 'Leasehold',
    tags: ['cache', 'redis'],
    schemaVersion: 39,
    version: 1,
    editable: true,
    graphTooltip: 1,
    refresh: '30s',
    time: { from: 'now-3h', to: 'now' },
    templating: {
      list: [
        { name: 'datasource', label: 'Data source', type: 'datasource', query: 'prometheus' },
        variable('cache', 'Cache', 'label_values(cache_hits_total, cache)'),
        variable('server', 'Redis', 'label_values(redis_up, server)'),
      ],
    },
    panels,
  }
  return `${JSON.stringify(dashboard, null, 2)}\n`
}

interface Place {
  readonly x: number
  readonly y: number
  readonly w: number
  readonly h: number
}

/** From left to right, in as many lines as it takes. Returns where the next row begins. */
function placeRow({ panels }: Row, top: number, place: (panel: Panel, at: Place) => void): number {
  let x = 0
  let y = top
  let lineHeight = 0
  for (const panel of panels) {
    if (x + panel.width > columns) {
      x = 0
      y += lineHeight
      lineHeight = 0
    }
    const h = heights[panel.kind]
    place(panel, { x, y, w: panel.width, h })
    x += panel.width
    lineHeight = Math.max(lineHeight, h)
  }
  return y + lineHeight
}

function renderPanel({ title, description, kind, unit, queries, thresholds }: Panel, id: number, gridPos: Place): object {
  const steps = (thresholds ?? [[null, 'green']]).map(([value, color]) => ({ value, color }))
  return {
    id,
    type: kind,
    title,
    description,
    datasource,
    gridPos,
    fieldConfig: {
      defaults: {
        unit,
        ...(unit === 'percentunit' ? { min: 0, max: 1 } : { min: 0 }),
        ...(thresholds === undefined ? {} : { color: { mode: 'thresholds' } }),
        thresholds: { mode: 'absolute', steps },
      },
      overrides: [],
    },
    options:
      kind === 'stat'
        ? { reduceOptions: { calcs: ['lastNotNull'] }, colorMode: 'value', graphMode: 'area' }
        : { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi', sort: 'desc' } },
    targets: queries.map(({ expr, legend }, place) => ({
      refId: String.fromCodePoint(65 + place),
      datasource,
      expr,
      legendFormat: legend === '' ? '__auto' : legend,
    })),
  }
}

function variable(name: string, label: string, query: string): object {
  const all = { includeAll: true, multi: true, allValue: '.*', current: { text: 'All', value: '$__all' } }
  return { name, label, type: 'query', datasource, query: { query, refId: name }, definition: query, refresh: 2, ...all }
}
