import { existsSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, expect, it } from 'vitest'
import { allPages, page, prose, root, type Page } from './pages.ts'

const pages = [...allPages(), page('CONTRIBUTING.md'), page('CHANGELOG.md')]

describe('the links of the pages', () => {
  it.each(pages)('lead somewhere: $path', shown => {
    expect(linksOf(shown).filter(link => !resolves(shown, link))).toEqual([])
  })

  it('are many, and a wrong one is found', () => {
    expect(pages.flatMap(linksOf).length).toBeGreaterThan(30)
    const options = page('docs/options.md')
    for (const wrong of ['nowhere.md', '#no-such-heading', 'errors.md#no-such-heading'])
      expect(resolves(options, wrong)).toBe(false)
    for (const right of ['errors.md', '#all-of-them', 'errors.md#load_timeout']) expect(resolves(options, right)).toBe(true)
  })

  it('reach every page from the README', () => {
    const reached = new Set(['README.md'])
    for (const path of reached) {
      for (const link of linksOf(page(path))) {
        const target = targetOf(page(path), link).path
        if (target.endsWith('.md') && existsSync(join(root, target))) reached.add(target)
      }
    }
    expect(allPages().filter(({ path }) => !reached.has(path))).toEqual([])
  })
})

/** Relative links; those to other places are not followed. */
function linksOf(shown: Page): string[] {
  return [...prose(shown).matchAll(/\]\(([^)\s]+)\)/g)].map(match => match[1] ?? '').filter(link => !/^[a-z]+:/.test(link))
}

function targetOf({ path }: Page, link: string): { path: string; anchor: string } {
  const [file = '', anchor = ''] = link.split('#')
  return { path: file === '' ? path : normalize(join(dirname(path), file)), anchor }
}

function resolves(from: Page, link: string): boolean {
  const { path, anchor } = targetOf(from, link)
  if (!existsSync(join(root, path))) return false
  return anchor === '' || anchorsOf(page(path)).has(anchor)
}

/** As GitHub makes them from headings. */
function anchorsOf(shown: Page): Set<string> {
  const headings = [...prose(shown).matchAll(/^#+ (.*)$/gm)].map(match => match[1] ?? '')
  return new Set(
    headings.map(heading =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
        .trim()
        .replaceAll(/\s/g, '-'),
    ),
  )
}
