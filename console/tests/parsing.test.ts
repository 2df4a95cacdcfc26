import { expect, it } from 'vitest';

import { parsed } from '@/api/parsing';

it('no text turns the order of the words around it', () => {
  const name = '华瑞\u202E工化';
  const comment = '\u2067关闭\u2069 \u202Dok\u202C';
  expect(parsed(JSON.stringify({ name, comments: [comment], 'GT\u202B': 1 }))).toEqual({
    name: '华瑞\uFFFD工化',
    comments: ['\uFFFD关闭\uFFFD \uFFFDok\uFFFD'],
    'GT\uFFFD': 1,
  });
});

it('every other text stays as it is', () => {
  const kept = { emoji: '👨‍👩‍👧', lines: 'a\n\tb\\u202e', control: '\u0007\u0085\u0000', mark: 'ئۇيغۇر\u200F', number: 1.5, nothing: null };
  expect(parsed(JSON.stringify(kept))).toEqual(kept);
});
