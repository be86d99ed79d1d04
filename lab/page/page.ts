import { count, milliseconds } from '../../demo/paint.ts'
import { columns } from '../columns.ts'
import { type ContenderId, contenders } from '../contenders/index.ts'
import { findings } from '../findings.ts'
import type { LabResult, ScenarioResult } from '../results.ts'
import { isBest } from '../terminal-table.ts'
import { quantiles, queryBars } from './charts.ts'
import { escape } from './escape.ts'
import { latencyOverTime, queriesOverTime } from './over-time.ts'
import { figure } from './picture.ts'
import { style } from './style.ts'

/** The report as one file that needs nothing else, for a reader who does not know the code. */
export function page(result: LabResult): string {
  const { shown, notBest, disturbed } = findings(result)
  const took = result.results[0]?.outcomes.map(({ contender }) => contender) ?? []
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Leasehold lab report, ${result.machine.date}</title><style>${style}</style></head><body>
<h1>Ways to cache a database, side by side</h1>
<p>A web service answers requests for products. It runs in ${result.settings.workers} processes and gets each product from a database that takes
about ${milliseconds(result.settings.latencyMs)} to answer. Between the two stands a cache, or none. Below, each way to cache gets the very same requests
at the very same moments, and you see how long people waited, how hard the database had to work, and how often an answer was out of date.</p>
${warnings(result)}
<nav>${result.results.map(({ scenario }) => `<a href="#${scenario.id}">${escape(scenario.title)}</a>`).join('\n')}
<a href="#how">How this was measured</a></nav>
<h2>In short</h2>
${disturbed.length === 0 ? '' : `<div class="warning">The machine held up the load generators themselves:<ul>${disturbed.map(item).join('')}</ul></div>`}
${classicTable(result)}
<ul>${shown.map(item).join('')}</ul>
<h3>Where Leasehold was not best</h3>
${notBestSection(notBest)}
<h2>Who took part</h2>
<table>${took.map(id => `<tr><th class="c-${id}">${contenders[id].title}</th><td class="wide">${escape(contenders[id].what)}</td></tr>`).join('')}</table>
${result.results.map(section).join('')}
<h2 id="how">How this was measured</h2>
${method(result)}
</body></html>
`
}

function warnings({ quick, machine }: LabResult): string {
  const said = [
    ...(quick ? ['This was a <b>quick</b> run, which only shows that everything works. Do not quote its figures.'] : []),
    ...(machine.loadBefore > 1
      ? [
          `The machine was busy with other work (load ${machine.loadBefore.toFixed(1)} on ${machine.cores} cores before the start): read the ratios.`,
        ]
      : []),
  ]
  return said.map(text => `<p class="warning">${text}</p>`).join('')
}

/** The comparison everybody knows, if it was played. */
function classicTable({ results }: LabResult): string {
  const steady = results.find(({ scenario }) => scenario.id === 'steady')
  if (steady === undefined) return ''
  const best = Math.min(...steady.outcomes.map(({ figures }) => figures.p99Ms))
  const rows = steady.outcomes.map(
    ({ contender, figures }) =>
      `<tr><th class="c-${contender}">${contenders[contender].title}</th><td>${milliseconds(figures.p99Ms)}</td><td>${(figures.p99Ms / best).toFixed(1)}</td>
<td>${(figures.readsAvoided * 100).toFixed(1)} %</td></tr>`,
  )
  return `<p>Steady reads:</p><table><tr><th></th><th>p99</th><th>times the best</th><th>database reads avoided</th></tr>${rows.join('')}</table>`
}

function notBestSection(notBest: readonly string[]): string {
  if (notBest.length === 0) return '<p>In no figure of this run, beyond the noise.</p>'
  return `<p>Leasehold's figure first, then those that were better beyond the noise.</p><ul>${notBest.map(item).join('')}</ul>`
}

function section(result: ScenarioResult): string {
  const { scenario, outcomes } = result
  return `<section><h2 id="${scenario.id}">${escape(scenario.title)}</h2><p>${escape(scenario.what)}</p>
${figure(quantiles(result))}${figure(queryBars(result))}
${legend(outcomes.map(({ contender }) => contender))}
<div class="charts">${figure(latencyOverTime(result))}${figure(queriesOverTime(result))}</div>
<details><summary>All figures</summary><div class="scroll">${figuresTable(result)}</div></details></section>`
}

function legend(ids: readonly ContenderId[]): string {
  return `<ul class="legend">${ids.map(id => `<li class="c-${id}">${contenders[id].title}</li>`).join('')}</ul>`
}

/** One row per figure, so that it can be read with what it means. */
function figuresTable({ outcomes }: ScenarioResult): string {
  const head = outcomes.map(({ contender }) => `<th class="c-${contender}">${contenders[contender].title}</th>`).join('')
  const rows = columns.map(column => {
    const cells = outcomes.map(({ figures }) => {
      const value = column.pick(figures)
      return `<td${isBest(column, outcomes, value) ? ' class="best"' : ''}>${column.show(value)}</td>`
    })
    return `<tr><th>${escape(column.title)}</th>${cells.join('')}<td class="wide soft">${escape(column.means)}</td></tr>`
  })
  const failures = outcomes.flatMap(({ contender, figures }) =>
    figures.firstFailure === null
      ? []
      : [
          `<p class="soft">${contenders[contender].title}, first failure: <code>${escape(figures.firstFailure.slice(0, 200))}</code></p>`,
        ],
  )
  return `<table><tr><th></th>${head}<th></th></tr>${rows.join('')}</table>${failures.join('')}`
}

function method({ machine, settings, tookMs, results }: LabResult): string {
  const facts: readonly (readonly [string, string])[] = [
    [
      'When',
      `${machine.date}; ${count(Math.round(tookMs / 1000))} s in all, ${settings.durationMs / 1000} s per scenario and contender, ${settings.rounds} round(s)`,
    ],
    ['Machine', `${machine.cores} cores (${machine.cpu}), shared by the load generators, the service, Redis and the database`],
    ['Versions', `Node ${machine.node}, Redis ${machine.redis}, Postgres: ${machine.postgres}`],
    [
      'Load',
      `${count(settings.perSecond)} requests/s from ${settings.generators} process(es); the n-th most popular of ${count(settings.products)} products is asked for 1/n^${settings.skew} as often as the first`,
    ],
    [
      'Database',
      `one real query and ${milliseconds(settings.latencyMs)} more, awaited in the service; ${settings.slowShare * 100} of 100 loads take ${settings.slowFactor} times as long`,
    ],
    ['Cache', `each product for ${milliseconds(settings.ttlMs)}, unless the scenario says otherwise`],
  ]
  return `<table>${facts.map(([name, fact]) => `<tr><th>${name}</th><td class="wide">${escape(fact)}</td></tr>`).join('')}</table>
<ul>
<li>The moment of every request is fixed in advance. A request does not wait for earlier ones, and its waiting time counts from the moment it was to arrive: a service
that stalls is not spared the requests that come meanwhile.</li>
<li>Requests given up after ${milliseconds(settings.timeoutMs)} count with that time, and as failed.</li>
<li>An answer is stale when it shows a row that was replaced by a change whose request had been answered before the question was asked. The service answers a change after it has
changed the database and the cache has acknowledged the invalidation.</li>
<li>Every run has fresh service processes and a Redis of its own. The contenders take turns.${settings.rounds > 1 ? ' Shown is the round with the median p99.' : ''}</li>
<li>Not measured: a network, Redis Cluster, machines of their own for each part, long runs.</li>
</ul>
<details><summary>All parameters</summary><pre>${escape(JSON.stringify({ settings, scenarios: results.map(({ scenario }) => scenario) }, null, 1))}</pre></details>`
}

function item(text: string): string {
  return `<li>${escape(text)}</li>`
}
