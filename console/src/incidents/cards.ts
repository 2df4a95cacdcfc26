/** Response cards as their authors wrote them: Markdown, of which the shipped ones say all in two languages. */

import type { Language } from '@/preferences/preferences';

/** The part of a card in a language. A card of two parts that both begin with a title has Chinese first. */
export function cardText(text: string, language: Language): string {
  const parts = text.split(/^---$/m).map((part) => part.trim());
  const [chinese, english] = parts;
  if (parts.length !== 2 || chinese === undefined || english === undefined) return text;
  if (!chinese.startsWith('# ') || !english.startsWith('# ')) return text;
  return language === 'en' ? english : chinese;
}

/** Whence a card has what it says: `中文 / English` in the shipped ones. */
export function cardSource(source: string, language: Language): string {
  const [chinese, english, ...more] = source.split(' / ');
  if (chinese === undefined || english === undefined || more.length > 0) return source;
  return language === 'en' ? english : chinese;
}
