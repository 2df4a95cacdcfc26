import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

const SOURCE = join(import.meta.dirname, '../src');

function flatten(tree: object, prefix = ''): Map<string, string> {
  const found = new Map<string, string>();
  for (const [key, value] of Object.entries(tree) as [string, string | object][]) {
    if (typeof value === 'string') found.set(prefix + key, value);
    else for (const [below, text] of flatten(value, `${prefix}${key}.`)) found.set(below, text);
  }
  return found;
}

function placeholders(text: string): string[] {
  return [...new Set([...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? ''))].sort();
}

/** Read as files: an import would give what the build has compiled them to. */
function messages(language: string): Map<string, string> {
  return flatten(JSON.parse(readFileSync(join(SOURCE, `i18n/messages/${language}.json`), 'utf8')) as object);
}

const chinese = messages('zh-CN');
const english = messages('en');
const code = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.(vue|ts)$/.test(name))
  .map((name) => readFileSync(join(SOURCE, name), 'utf8'))
  .join('\n');

describe('messages', () => {
  it('exist in both languages with the same placeholders', () => {
    expect([...chinese.keys()].sort()).toEqual([...english.keys()].sort());
    for (const [key, text] of chinese) {
      expect(placeholders(english.get(key) ?? ''), key).toEqual(placeholders(text));
    }
  });

  it('exist for every key that the code names', () => {
    const used = [...code.matchAll(/\bt\(\s*'([\w.-]+)'/g)].map((match) => match[1] ?? '');
    expect(used.length).toBeGreaterThan(100);
    for (const key of used) expect(chinese.has(key), key).toBe(true);
  });

  it('are all used', () => {
    const built = [...code.matchAll(/`([\w.]+)\.\$\{/g)].map((match) => `${match[1] ?? ''}.`);
    const unused = [...chinese.keys()].filter(
      (key) => !code.includes(`'${key}'`) && !built.some((prefix) => key.startsWith(prefix)),
    );
    expect(unused).toEqual([]);
  });
});
