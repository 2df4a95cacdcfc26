'use strict';
(() => {
  const root = document.documentElement;
  const { plots, words } = JSON.parse(document.getElementById('data').textContent);
  const drawn = new Map();
  const say = (key) => words[root.dataset.language][key] ?? key;
  const named = (name) => name.split(' ').map(say).join(' ');
  const colour = (name) => getComputedStyle(root).getPropertyValue(`--${name}`).trim();
  const two = (value) => String(value).padStart(2, '0');

  /** Local time of the sites (UTC+8, no summer time), whatever the reader's own is. */
  const local = (ms) => new Date(ms + 8 * 3600e3);
  const stamp = (ms) => {
    const at = local(ms);
    return `${at.getUTCFullYear()}-${two(at.getUTCMonth() + 1)}-${two(at.getUTCDate())} ${two(at.getUTCHours())}:${two(at.getUTCMinutes())}:${two(at.getUTCSeconds())}`;
  };
  const span = (ms) => {
    const seconds = Math.abs(ms) / 1000;
    if (seconds < 60) return `${Number(seconds.toPrecision(3))} s`;
    const whole = Math.round(seconds);
    const parts = [[Math.floor(whole / 86400), 'd'], [Math.floor(whole / 3600) % 24, 'h'], [Math.floor(whole / 60) % 60, 'min'], [whole % 60, 's']];
    const first = parts.findIndex(([count]) => count);
    return parts.slice(first, first + 2).filter(([count]) => count).map(([count, name]) => `${count} ${name}`).join(' ');
  };
  const figure = (value) => (value == null ? '—' : String(Number(value.toPrecision(5))));

  const timeLabels = (_, splits, __, ___, step) =>
    splits.map((seconds) => {
      const at = local(seconds * 1000);
      const day = `${two(at.getUTCMonth() + 1)}-${two(at.getUTCDate())}`;
      if (step >= 86400) return day;
      const clock = `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}`;
      if (step < 60) return `${clock}:${two(at.getUTCSeconds())}`;
      return clock === '00:00' ? day : clock;
    });

  const axis = (more) => ({
    stroke: colour('dim'),
    font: '12px sans-serif',
    grid: { stroke: colour('edge'), width: 0.5 },
    ticks: { stroke: colour('edge'), width: 0.5 },
    ...more,
  });

  /** Fills outlines of rectangles along x between two heights of the canvas, nothing narrower than can be seen. */
  const band = (plot, from, to, top, height, fill) => {
    const { ctx, bbox } = plot;
    const left = Math.max(plot.valToPos(from / 1000, 'x', true), bbox.left);
    const right = Math.min(plot.valToPos(to / 1000, 'x', true), bbox.left + bbox.width);
    if (right < bbox.left || left > bbox.left + bbox.width) return;
    ctx.fillStyle = fill;
    ctx.fillRect(left, top, Math.max(right - left, 2 * devicePixelRatio), height);
  };

  const LANE = 15;

  function drawEvents(plot, of) {
    const { ctx, bbox } = plot;
    for (const event of of.events) {
      band(plot, event.from, event.to, bbox.top, bbox.height, colour('event'));
      if (event.harm == null) continue;
      const x = plot.valToPos(event.harm / 1000, 'x', true);
      if (x < bbox.left || x > bbox.left + bbox.width) continue;
      ctx.strokeStyle = colour('harm');
      ctx.lineWidth = 2 * devicePixelRatio;
      ctx.setLineDash([3 * devicePixelRatio, 3 * devicePixelRatio]);
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
      ctx.setLineDash([]);
    }
  }

  const LIMIT = { first: ['orange', [6, 4]], second: ['red', []], old: ['old', [6, 4]], new: ['new', []] };

  function drawLimits(plot, of) {
    const { ctx, bbox } = plot;
    const ratio = devicePixelRatio;
    ctx.save();
    ctx.font = `${11 * ratio}px sans-serif`;
    ctx.textBaseline = 'bottom';
    for (const limit of of.limits) {
      const y = plot.valToPos(limit.value, 'y', true);
      if (!(y >= bbox.top && y <= bbox.top + bbox.height)) continue;
      const [name, dash] = LIMIT[limit.style] ?? LIMIT.first;
      ctx.strokeStyle = ctx.fillStyle = colour(name);
      ctx.lineWidth = 1.25 * ratio;
      ctx.setLineDash(dash.map((length) => length * ratio));
      ctx.beginPath();
      ctx.moveTo(bbox.left, y);
      ctx.lineTo(bbox.left + bbox.width, y);
      ctx.stroke();
      const after = limit.style === 'new';
      ctx.textAlign = after ? 'right' : 'left';
      const text = `${limit.name} ${figure(limit.value)}`;
      ctx.fillText(text, after ? bbox.left + bbox.width - 6 * ratio : bbox.left + 6 * ratio, y - 2 * ratio);
    }
    ctx.restore();
  }

  function drawLanes(plot, of) {
    const { ctx, bbox } = plot;
    const ratio = devicePixelRatio;
    ctx.save();
    ctx.font = `${11 * ratio}px sans-serif`;
    ctx.textAlign = 'right';
    ctx.textBaseline = 'middle';
    of.lanes.forEach((lane, number) => {
      const top = bbox.top - (of.lanes.length - number) * LANE * ratio;
      const height = (LANE - 5) * ratio;
      ctx.fillStyle = colour('raised');
      ctx.fillRect(bbox.left, top, bbox.width, height);
      ctx.fillStyle = colour('dim');
      ctx.fillText(named(lane.name), bbox.left - 8 * ratio, top + height / 2, bbox.left - 10 * ratio);
      const fill = colour(lane.style);
      for (let index = 0; index < lane.from.length; index += 1) band(plot, lane.from[index], lane.to[index], top, height, fill);
    });
    ctx.restore();
  }

  function valueRange(of, low, high) {
    if (low == null) [low, high] = [0, 1];
    const breadth = high - low || Math.abs(high) || 1;
    let [bottom, top] = [low, high];
    for (const limit of of.limits) {
      if (Math.max(top, limit.value) - Math.min(bottom, limit.value) <= 5 * breadth) {
        [bottom, top] = [Math.min(bottom, limit.value), Math.max(top, limit.value)];
      }
    }
    const room = (top - bottom || breadth) * 0.06;
    return [bottom - room, top + room];
  }

  /** A box that follows the cursor; `told` gives its lines, or nothing. */
  function tip(element, told) {
    const box = document.createElement('div');
    box.className = 'tip';
    element.append(box);
    return (plot) => {
      const { left, top } = plot.cursor;
      const text = left < 0 ? '' : told(plot);
      box.style.display = text ? 'block' : 'none';
      if (!text) return;
      box.textContent = text;
      const x = left + plot.over.offsetLeft;
      box.style.left = `${x + 18 + box.offsetWidth > element.clientWidth ? x - box.offsetWidth - 14 : x + 14}px`;
      box.style.top = `${Math.max(top + plot.over.offsetTop - box.offsetHeight - 8, 0)}px`;
    };
  }

  function trend(of, element) {
    let at = of.t0;
    const time = of.dt.map((step) => (at += step) / 1000);
    const told = (plot) => {
      const ms = plot.posToVal(plot.cursor.left, 'x') * 1000;
      const index = plot.cursor.idx;
      const lines = [stamp(ms)];
      if (index != null && of.v[index] != null) lines.push(`${figure(of.v[index])} ${of.unit}`);
      for (const lane of of.lanes) {
        for (let place = 0; place < lane.from.length && lane.from[place] <= ms; place += 1) {
          if (lane.to[place] >= ms) lines.push(`${named(lane.name)}: ${stamp(lane.from[place])} (${span(lane.to[place] - lane.from[place])})`);
        }
      }
      for (const event of of.events) {
        if (event.from <= ms && ms <= event.to) lines.push(event.title[root.dataset.language] ?? Object.values(event.title)[0] ?? '');
      }
      return lines.join('\n');
    };
    return [
      {
        height: 250 + of.lanes.length * LANE,
        padding: [of.lanes.length * LANE + 8, 18, 0, 0],
        legend: { show: false },
        cursor: { drag: { x: true, y: false, dist: 4 }, y: false, points: { size: 6 } },
        scales: {
          x: { time: true, range: (_, low, high) => (low === high ? [low - 1, high + 1] : [low, high]) },
          y: { range: (_, low, high) => valueRange(of, low, high) },
        },
        axes: [axis({ values: timeLabels, size: 32 }), axis({ size: 74 })],
        series: [{}, { stroke: colour('text'), width: 1.1, points: { show: false }, spanGaps: false }],
        hooks: {
          drawClear: [(plot) => drawEvents(plot, of)],
          draw: [(plot) => { drawLimits(plot, of); drawLanes(plot, of); }],
          setCursor: [tip(element, told)],
        },
      },
      [time, of.v],
      [of.begin / 1000, of.end / 1000],
    ];
  }

  function bars(of, element) {
    const time = of.n.map((_, index) => (of.t0 + index * of.step) / 1000);
    const told = (plot) => (plot.cursor.idx == null ? '' : `${stamp(time[plot.cursor.idx] * 1000)}\n${of.n[plot.cursor.idx]}`);
    return [
      {
        height: 190,
        padding: [10, 18, 0, 0],
        legend: { show: false },
        cursor: { drag: { x: true, y: false, dist: 4 }, y: false, points: { show: false } },
        scales: { x: { time: true }, y: { range: (_, __, high) => [0, Math.max(high, of.line + 2) * 1.05] } },
        axes: [axis({ values: timeLabels, size: 32 }), axis({ size: 74 })],
        series: [{}, { stroke: colour('blue'), fill: colour('blue'), width: 0, points: { show: false }, paths: uPlot.paths.bars({ size: [0.9, 60, 1], align: 1 }) }],
        hooks: {
          draw: [(plot) => drawLimits(plot, { limits: [{ name: '>', value: of.line, style: 'second' }] })],
          setCursor: [tip(element, told)],
        },
      },
      [time, of.n],
      [time[0], time[time.length - 1] + of.step / 1000],
    ];
  }

  /** Zero, and 1, 2 and 5 of each decade: uPlot's own ticks of such a scale go on below zero, outside the plot. */
  function decades(_, __, low, high) {
    const ticks = [0];
    for (let ten = 1; ten <= high; ten *= 10) ticks.push(ten, 2 * ten, 5 * ten);
    return ticks.filter((tick) => low <= tick && tick <= high);
  }

  function cloud(of, element) {
    const order = of.x.map((_, index) => index).sort((one, other) => of.x[one] - of.x[other] || of.y[one] - of.y[other]);
    const [x, y, number, missed, label] = ['x', 'y', 'number', 'missed', 'label'].map((key) => order.map((index) => of[key][index]));
    const front = new Set(of.front);
    const [least, widest] = [Math.min(...y), Math.max(...y, 0)];
    const places = (plot) => x.map((value, index) => [plot.valToPos(value, 'x', true), plot.valToPos(y[index], 'y', true)]);
    const nearest = (plot) => {
      const ratio = devicePixelRatio;
      const [left, top] = [plot.cursor.left * ratio + plot.bbox.left, plot.cursor.top * ratio + plot.bbox.top];
      let [best, least] = [-1, (24 * ratio) ** 2];
      places(plot).forEach(([px, py], index) => {
        const distance = (px - left) ** 2 + (py - top) ** 2;
        if (distance < least) [best, least] = [index, distance];
      });
      return best;
    };
    const told = (plot) => {
      const index = nearest(plot);
      if (index < 0) return '';
      return [label[index] || say('present'), `${say('delay')} ${span(x[index] * 1000)}`, `${say('false_per_day')} ${figure(y[index])}`, `${say('missed')} ${missed[index]}`].join('\n');
    };
    const draw = (plot) => {
      const { ctx } = plot;
      const ratio = devicePixelRatio;
      const at = places(plot);
      ctx.save();
      ctx.beginPath();
      const around = 10 * ratio; // of a mark on the edge
      ctx.rect(plot.bbox.left - around, plot.bbox.top - around, plot.bbox.width + 2 * around, plot.bbox.height + 2 * around);
      ctx.clip();
      ctx.strokeStyle = colour('accent');
      ctx.lineWidth = 1.5 * ratio;
      ctx.beginPath();
      at.forEach(([px, py], index) => front.has(number[index]) && missed[index] === Math.min(...missed) && ctx.lineTo(px, py));
      ctx.stroke();
      at.forEach(([px, py], index) => {
        const onFront = front.has(number[index]);
        ctx.beginPath();
        ctx.arc(px, py, (onFront ? 5 : 3.5) * ratio, 0, 2 * Math.PI);
        ctx.fillStyle = ctx.strokeStyle = colour(missed[index] ? 'red' : onFront ? 'blue' : 'dim');
        ctx.lineWidth = 1.5 * ratio;
        if (missed[index]) ctx.stroke();
        else ctx.fill();
      });
      const mark = (index, name, text) => {
        if (index < 0) return;
        const [px, py] = at[index];
        ctx.strokeStyle = ctx.fillStyle = colour(name);
        ctx.lineWidth = 2 * ratio;
        ctx.strokeRect(px - 8 * ratio, py - 8 * ratio, 16 * ratio, 16 * ratio);
        ctx.font = `bold ${12 * ratio}px sans-serif`;
        const right = px > plot.bbox.left + plot.bbox.width * 0.8;
        ctx.textAlign = right ? 'right' : 'left';
        ctx.fillText(text, px + (right ? -12 : 12) * ratio, py - 10 * ratio);
      };
      mark(number.indexOf(0), 'old', say('present'));
      if (of.chosen) mark(number.indexOf(of.chosen), 'good', say('recommended'));
      ctx.restore();
    };
    const padded = (low, high) => {
      const room = (high - low || Math.abs(high) || 1) * 0.05;
      return [Math.min(low - room, low), high + room];
    };
    /** Counts begin at zero, unless zoomed; `share` of the highest is left free above it. */
    const counts = (share) => (_, low, high) => [low > least ? low : 0, high * (1 + share) || 1];
    return [
      {
        height: 420,
        padding: [16, 26, 0, 0],
        legend: { show: false },
        cursor: { drag: { x: true, y: true, dist: 4, uni: 30 }, points: { show: false } },
        scales: {
          x: { time: false, range: (_, low, high) => (low == null ? [0, 1] : padded(low, high)) },
          y: widest > 50 ? { distr: 4, asinh: 1, range: counts(0.3) } : { range: counts(0.05) },
        },
        axes: [
          axis({ label: say('axis_delay'), labelSize: 24, labelFont: '12px sans-serif', size: 36, space: 100, values: (_, splits) => splits.map((value) => (value < 0 ? '−' : '') + span(value * 1000)) }),
          axis({ label: say('axis_false'), labelSize: 24, labelFont: '12px sans-serif', size: 64, ...(widest > 50 && { splits: decades }) }),
        ],
        series: [{}, { stroke: 'transparent', paths: () => null, points: { show: false } }],
        hooks: { draw: [draw], setCursor: [tip(element, told)] },
      },
      [x, y],
      null,
    ];
  }

  const KINDS = { trend, bars, cloud };

  function build(number) {
    const element = document.querySelector(`.plot[data-number="${number}"]`);
    if (!element) return null;
    drawn.get(number)?.plot.destroy();
    element.replaceChildren();
    const of = plots[number];
    const [options, data, whole] = KINDS[of.kind](of, element);
    const plot = new uPlot({ width: Math.max(element.clientWidth, 200), ...options }, data, element);
    const made = { plot, whole, element };
    drawn.set(number, made);
    if (whole) plot.setScale('x', { min: whole[0], max: whole[1] });
    plot.over.addEventListener('dblclick', () => reset(made));
    return made;
  }

  function reset({ plot, whole }) {
    if (whole) plot.setScale('x', { min: whole[0], max: whole[1] });
    else plot.setData(plot.data, true);
  }

  function show(number, from, to) {
    const made = drawn.get(number) ?? build(number);
    if (!made) return;
    const { plot, element } = made;
    document.querySelector('figure.shown')?.classList.remove('shown');
    element.closest('figure').classList.add('shown');
    element.closest('figure').scrollIntoView({ block: 'center', behavior: 'smooth' });
    if (to <= from) return reset(made);
    const room = Math.max((to - from) / 2, 60e3);
    const [first, last] = made.whole;
    plot.setScale('x', { min: Math.max((from - room) / 1000, first), max: Math.min((to + room) / 1000, last) });
  }

  const seen = new IntersectionObserver(
    (entries) => {
      for (const entry of entries) {
        const number = Number(entry.target.dataset.number);
        if (entry.isIntersecting && !drawn.has(number)) build(number);
      }
    },
    { rootMargin: '800px' },
  );
  const resized = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      const made = drawn.get(Number(target.dataset.number));
      if (made && Math.abs(made.plot.width - target.clientWidth) > 1) made.plot.setSize({ width: target.clientWidth, height: made.plot.height });
    }
  });
  for (const element of document.querySelectorAll('.plot')) {
    seen.observe(element);
    resized.observe(element);
  }

  /** Colours and words of what is drawn change with theme and language; what is zoomed stays so. */
  function redraw() {
    for (const [number, made] of [...drawn]) {
      const { min, max } = made.plot.scales.x;
      const again = build(number);
      if (made.whole && again) again.plot.setScale('x', { min, max });
    }
  }

  const themed = (theme) => { root.dataset.theme = theme; };
  themed(matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light');
  document.getElementById('theme').addEventListener('click', () => {
    themed(root.dataset.theme === 'dark' ? 'light' : 'dark');
    redraw();
  });
  document.getElementById('language').addEventListener('click', () => {
    const chinese = root.dataset.language !== 'zh';
    root.dataset.language = chinese ? 'zh' : 'en';
    root.lang = chinese ? 'zh-CN' : 'en';
    redraw();
  });

  document.addEventListener('click', (event) => {
    const whole = event.target.closest('[data-whole]');
    if (whole) {
      const made = drawn.get(Number(whole.dataset.whole));
      if (made) reset(made);
      return;
    }
    const row = event.target.closest('[data-plot]');
    if (row) return void show(Number(row.dataset.plot), Number(row.dataset.from), Number(row.dataset.to));
    const head = event.target.closest('th[data-sort]');
    if (head) sort(head);
  });
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && event.target.matches?.('[data-plot]')) event.target.click();
  });

  function sort(head) {
    const column = [...head.parentElement.children].indexOf(head);
    const body = head.closest('table').tBodies[0];
    const down = head.dataset.sort !== 'down';
    for (const other of head.parentElement.children) if ('sort' in other.dataset) other.dataset.sort = '';
    head.dataset.sort = down ? 'down' : 'up';
    const key = (row) => {
      const cell = row.children[column];
      return 'value' in cell.dataset ? Number(cell.dataset.value) : cell.textContent.trim();
    };
    const rows = [...body.rows].map((row) => [key(row), row]);
    rows.sort(([one], [other]) => (one < other ? -1 : one > other ? 1 : 0) * (down && typeof one === 'number' ? -1 : 1) * (!down && typeof one !== 'number' ? -1 : 1));
    body.append(...rows.map(([, row]) => row));
  }
})();
