import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import en from '@/i18n/messages/en.json';
import zh from '@/i18n/messages/zh-CN.json';
import { DESTINATIONS, GROUPS, inMenu, inRow, isRefused } from '@/navigation';

const router = readFileSync(join(import.meta.dirname, '../src/router.ts'), 'utf8');
const anyone = () => true;

describe('pages', () => {
  it('are each a route with a name and a line of what it is for', () => {
    const { hint, ...words }: Record<string, unknown> & { hint: Record<string, string> } = en.nav;
    expect(new Set(DESTINATIONS.map(({ name }) => name)).size).toBe(DESTINATIONS.length);
    for (const { name } of DESTINATIONS) {
      expect(router, name).toContain(`name: '${name}'`);
      expect(words[name], name).toBeTruthy();
      expect(hint[name], name).toBeTruthy();
    }
    for (const group of GROUPS) expect(en.nav.group, group).toHaveProperty(group);
  });

  it('stand in the row or in the menu, and on a telephone all in the menu', () => {
    const menu = inMenu(anyone, false).flatMap(({ pages }) => pages);
    expect(inRow(anyone).length + menu.length).toBe(DESTINATIONS.length);
    expect(inMenu(anyone, true).flatMap(({ pages }) => pages)).toHaveLength(DESTINATIONS.length);
  });

  it('are offered to those who may see them, and headings only with a page', () => {
    const nobody = () => false;
    expect(inRow(nobody).map(({ name }) => name)).not.toContain('handover');
    const found = inMenu(nobody, true);
    expect(found.map(({ group }) => group)).not.toContain('limits');
    expect(found.every(({ pages }) => pages.length > 0)).toBe(true);
  });

  it('are refused where the address was typed, with words of their own', () => {
    const viewer = (operation: string) => ['list_alarms', 'search'].includes(operation);
    const refused = DESTINATIONS.filter(({ name }) => isRefused(name, viewer)).map(({ name }) => name);
    expect(refused).toEqual(DESTINATIONS.filter(({ operation }) => operation !== null && operation !== 'search').map(({ name }) => name));
    expect(refused).toContain('kpi');
    expect(['incident', 'account', 'missing', undefined].filter((name) => isRefused(name, viewer))).toEqual([]);
    for (const { name } of DESTINATIONS.filter(({ operation }) => operation !== null)) {
      for (const words of [en, zh]) expect(words.nav.refused, name).toHaveProperty(name);
    }
  });
});
