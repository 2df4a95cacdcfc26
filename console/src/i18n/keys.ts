/** What a label says of a key: "取消（Esc）", "Submit (Ctrl+Enter)". */
const KEY = / ?[(（](?:Ctrl\+)?(?:Enter|Esc)[)）]$/;

/** The label for who has no keys. */
export function withoutKey(label: string): string {
  return label.replace(KEY, '');
}
