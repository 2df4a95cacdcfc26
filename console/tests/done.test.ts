import { expect, it } from 'vitest';

import { doneOf, isShown, type Attachment } from '@/incidents/done';

it('tells what was done about an incident in the order of time', () => {
  const file = { id: 4, name: 'valve.png', size: 1700, sha256: '', at: '2026-06-08T03:02:00Z', by: '赵敏' };
  const all = doneOf({
    disposal: [{ at: '2026-06-08T03:00:00Z', name: '赵敏', step: '关闭进料阀', comment: '' }],
    feedback: [{ at: '2026-06-08T03:01:00Z', name: '赵敏', text: '已隔离' }],
    review: { at: '2026-06-08T03:03:00Z', name: '李强', accepted: false, comment: '缺照片' },
    files: [file],
  } as unknown as Parameters<typeof doneOf>[0]);
  expect(all.map(({ act, name, text }) => [act, name, text])).toEqual([
    ['handle', '赵敏', '关闭进料阀'], ['feed_back', '赵敏', '已隔离'], ['attach', '赵敏', ''], ['return', '李强', '缺照片'],
  ]);
  expect(all[2]?.file).toBe(file);
});

it('shows what every browser can show, and leaves the rest to be saved', () => {
  const types = ['image/jpeg', 'image/png', 'image/webp', 'image/heic', 'application/pdf'];
  expect(types.map((type) => isShown({ type } as Attachment))).toEqual([true, true, true, false, false]);
});
