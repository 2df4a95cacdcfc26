/** Files that become documents of the configuration. */

export interface SentFile {
  name: string;
  /** In Base64. */
  content: string;
  /** What it is to become; null: told by its name, of a workbook by its sheets. */
  document: string | null;
}

/** Bytes that fit into a request together, in Base64. */
export const LARGEST = 48 * 1024 * 1024;

/** The service tells a table, a text or a workbook by its name: whether it will know what this one is to become. */
export function isTold(name: string, documents: readonly string[]): boolean {
  if (/\.xlsx$/i.test(name) && !documents.includes(name)) return true;
  const alike = documents.filter((document) => document.split('/').at(-1) === name);
  return documents.includes(name) || alike.length === 1;
}

/** A file as it is sent. Raises Error where the browser cannot read it, such as one that is gone. */
export async function sent(file: File, document: string): Promise<SentFile> {
  const address = await new Promise<string>((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => {
      resolve(typeof reader.result === 'string' ? reader.result : '');
    };
    reader.onerror = () => {
      reject(reader.error ?? new Error(file.name));
    };
    reader.readAsDataURL(file);
  });
  return { name: file.name, content: address.slice(address.indexOf(',') + 1), document: document === '' ? null : document };
}

/** A document's lines with their numbers, as many as are shown at once. */
export function numbered(text: string, most: number): { lines: string[]; more: number } {
  const lines = text.replace(/\n$/, '').split(/\r?\n/);
  return { lines: lines.slice(0, most), more: Math.max(0, lines.length - most) };
}

/** A document handed to the browser to be saved. */
export function save(name: string, encoding: 'utf-8' | 'base64', content: string): void {
  const bytes = encoding === 'base64' ? Uint8Array.from(atob(content), (char) => char.charCodeAt(0)) : content;
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([bytes]));
  link.download = name.split('/').at(-1) ?? name;
  link.click();
  URL.revokeObjectURL(link.href);
}
