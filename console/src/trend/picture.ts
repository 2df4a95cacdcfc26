/** A chart as a PNG: its plot under a title, and below it which pen is which. */

import { pixelRatio } from '@/styles/enlarging';

export interface Picture {
  plot: HTMLCanvasElement;
  title: string;
  /** One line per pen, in its colour. */
  legend: readonly { text: string; colour: string }[];
  text: string;
  paper: string;
}

const MARGIN = 16;
const LINE = 22;

/** Null: the browser has no room for such a picture. */
export function pictureOf({ plot, title, legend, text, paper }: Picture): Promise<Blob | null> {
  const ratio = pixelRatio();
  const canvas = document.createElement('canvas');
  const head = (MARGIN + LINE) * ratio;
  canvas.width = plot.width;
  canvas.height = plot.height + head + (legend.length * LINE + MARGIN) * ratio;
  const ctx = canvas.getContext('2d');
  if (ctx === null) return Promise.resolve(null);
  ctx.fillStyle = paper;
  ctx.fillRect(0, 0, canvas.width, canvas.height);
  ctx.textBaseline = 'middle';
  ctx.font = `bold ${15 * ratio}px sans-serif`;
  ctx.fillStyle = text;
  ctx.fillText(title, MARGIN * ratio, head / 2, canvas.width - 2 * MARGIN * ratio);
  ctx.drawImage(plot, 0, head);
  ctx.font = `${13 * ratio}px sans-serif`;
  for (const [index, line] of legend.entries()) {
    ctx.fillStyle = line.colour;
    const y = head + plot.height + (index + 0.5) * LINE * ratio;
    ctx.fillText(line.text, MARGIN * ratio, y, canvas.width - 2 * MARGIN * ratio);
  }
  return new Promise((resolve) => {
    canvas.toBlob(resolve, 'image/png');
  });
}

/** Hands a file to the browser to be saved. */
export function save(blob: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}
