import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { LabResult } from '../results.ts'
import { quantiles, queryBars } from './charts.ts'
import { svgFile } from './picture.ts'

/** Those of the report's pictures that need no legend, as files for other pages. */
export async function writePictures(folder: string, { results }: LabResult): Promise<void> {
  await mkdir(folder, { recursive: true })
  for (const result of results) {
    const { id } = result.scenario
    await writeFile(join(folder, `lab-${id}-latency.svg`), svgFile(quantiles(result)))
    await writeFile(join(folder, `lab-${id}-queries.svg`), svgFile(queryBars(result)))
  }
}
