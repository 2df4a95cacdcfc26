/** Languages of the console. All text that an officer reads is in `messages/`. */

import { watch } from 'vue';
import { createI18n } from 'vue-i18n';

import { withoutKey } from '@/i18n/keys';
import en from '@/i18n/messages/en.json';
import zh from '@/i18n/messages/zh-CN.json';
import { language } from '@/preferences/preferences';

export const i18n = createI18n({
  legacy: false,
  locale: language.value,
  fallbackLocale: 'en',
  messages: { 'zh-CN': zh, en },
});

/** On a telephone or a tablet there is nothing but fingers. */
if (window.matchMedia('(hover: none) and (pointer: coarse)').matches) {
  i18n.global.setPostTranslationHandler((told) => (typeof told === 'string' ? withoutKey(told) : told));
}

watch(
  language,
  (value) => {
    i18n.global.locale.value = value;
    document.documentElement.lang = value;
  },
  { immediate: true },
);
