/* What the benchmark notes inside the page. Runs before the console's own code, and changes nothing that it does. */
(() => {
  const bench = {
    entries: 0,
    /** Tags whose row is awaited -> when the message came, ms. */
    awaited: new Map(),
    /** Milliseconds from a message to its row: in the document, and painted. */
    drawn: [],
    firstRow: null,
    frames: [],
    longTasks: [],
    recording: false,
    /** When the last line on a canvas was drawn. */
    stroked: 0,
    /** Of each history that came: its address, when its text was read, and when its last line was drawn. */
    trends: [],
  };
  window.bench = bench;

  const Native = window.WebSocket;
  window.WebSocket = class extends Native {
    constructor(...given) {
      super(...given);
      this.addEventListener('message', ({ data }) => {
        if (typeof data !== 'string' || !data.includes('"type":"entry"')) return;
        bench.entries += 1;
        const tag = /"tag":"(Q-\d+)"/.exec(data)?.[1];
        if (tag !== undefined && data.includes('"alarm.entered"') && !bench.awaited.has(tag)) {
          bench.awaited.set(tag, performance.now());
        }
      });
    }
  };

  /** Calls back once what stands in the document now is on the screen. */
  const painted = (callback) => {
    requestAnimationFrame(() => {
      const channel = new MessageChannel();
      channel.port1.onmessage = callback;
      channel.port2.postMessage(null);
    });
  };

  new MutationObserver(() => {
    const now = performance.now();
    if (bench.firstRow === null && document.querySelector('.row .act button') !== null) {
      bench.firstRow = now;
      painted(() => (bench.firstRow = performance.now()));
    }
    for (const [tag, at] of bench.awaited) {
      if (at === null || !document.querySelector('section.alarms')?.textContent.includes(tag)) continue;
      bench.awaited.set(tag, null);
      painted(() => bench.drawn.push({ document: now - at, painted: performance.now() - at }));
    }
  }).observe(document, { childList: true, subtree: true, characterData: true });

  new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries()) if (bench.recording) bench.longTasks.push([startTime, duration]);
  }).observe({ type: 'longtask' });

  const frame = (at) => {
    if (bench.recording) bench.frames.push(at);
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);

  /* What comes of an answer is drawn in the microtasks after it was read: before any timer. */
  const read = Response.prototype.text;
  Response.prototype.text = async function () {
    const begun = performance.now();
    const body = await read.call(this);
    const { url } = this;
    const done = performance.now();
    if (url.includes('/samples')) setTimeout(() => bench.trends.push({ url, begun, read: done, drawn: bench.stroked }));
    return body;
  };

  const stroke = CanvasRenderingContext2D.prototype.stroke;
  CanvasRenderingContext2D.prototype.stroke = function (...given) {
    stroke.apply(this, given);
    bench.stroked = performance.now();
  };
})();
