/** What this browser remembers of its officer: language, theme, keys, name. */

import { ref, watch, type Ref } from 'vue';

export type Language = 'zh-CN' | 'en';
export type Theme = 'dark' | 'light';

function remembered<Value extends string>(key: string, allowed: readonly Value[], fallback: Value): Ref<Value> {
  const stored = localStorage.getItem(key);
  const kept = ref(allowed.find((value) => value === stored) ?? fallback) as Ref<Value>;
  watch(kept, (value) => {
    localStorage.setItem(key, value);
  });
  return kept;
}

export const language = remembered<Language>('anshao.language', ['zh-CN', 'en'], 'zh-CN');
export const theme = remembered<Theme>('anshao.theme', ['dark', 'light'], 'dark');
/** Whether letters and signs are shortcuts. Who speaks to the computer switches them off (WCAG 2.2, 2.1.4). */
export const characterKeys = remembered<'on' | 'off'>('anshao.keys', ['on', 'off'], 'on');

export const officer = ref(localStorage.getItem('anshao.officer') ?? '');
watch(officer, (name) => {
  localStorage.setItem('anshao.officer', name);
});

/** The desk at which this console stands; empty: at none, and nobody's presence is told. */
export const desk = ref(localStorage.getItem('anshao.desk') ?? '');
watch(desk, (id) => {
  localStorage.setItem('anshao.desk', id);
});

watch(
  theme,
  (value) => {
    document.documentElement.dataset.theme = value;
  },
  { immediate: true },
);
