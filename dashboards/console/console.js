/** Draws one board: asks each panel's statement of the endpoint that served this page. Plain SVG, no library. */

const here = new URL(location.href);
const uid = document.body.dataset.board;
const colors = ['--s1', '--s2', '--s3', '--s4', '--s5', '--s6', '--s7', '--s8'];
const tableRows = 50;

const board = await (await fetch(`/boards/${uid}.json${here.search}`)).json();
document.title = `${board.title} · Stockline`;
text('#title', board.title);
text('#description', board.description);
menu();
const chosen = await choices();
const asked = chosen.changed
  ? await (await fetch(`/boards/${uid}.json${chosen.search}`)).json()
  : board;
await Promise.all(asked.panels.map(drawPanel));
document.body.dataset.ready = 'true';

function text(selector, content) {
  document.querySelector(selector).textContent = content;
}

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function shape(name, attributes, content) {
  const made = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (content !== undefined) made.textContent = content;
  return made;
}

function menu() {
  for (const one of board.menu) {
    const link = element('a', { href: `/boards/${one.uid}${here.search}` }, one.title);
    if (one.uid === uid) link.setAttribute('aria-current', 'page');
    document.querySelector('#menu').append(link);
  }
}

/** The range and the variables of the board; a choice opens the page anew. */
async function choices() {
  const form = document.querySelector('#choices');
  const search = new URLSearchParams(here.search);
  let changed = false;
  const add = (name, label, values, value) => {
    const select = element('select', { name, 'aria-label': label });
    for (const one of values) select.append(new Option(one, one, false, one === value));
    select.addEventListener('change', () => {
      search.set(name, select.value);
      location.search = search;
    });
    form.append(element('label', {}, `${label} `, select));
  };
  for (const { name, label, sql } of board.variables) {
    const values = (await ask(sql)).data.map(([value]) => String(value));
    if (!search.has(name)) {
      search.set(name, values[0] ?? '');
      changed = true;
    }
    add(name, label, values, search.get(name));
  }
  const ranges = [
    ...new Set([board.from, 'now-1h', 'now-3h', 'now-24h', 'now-7d', 'now-14d', 'now-30d']),
  ];
  add('from', 'From', ranges, search.get('from') ?? board.from);
  return { changed, search: `?${search}` };
}

async function ask(sql) {
  const answer = await fetch('/?default_format=JSONCompact', { method: 'POST', body: sql });
  if (!answer.ok) throw new Error(await answer.text());
  return await answer.json();
}

async function drawPanel(panel) {
  const body = element('div', { class: 'body' });
  const { x, y, w, h } = panel.place;
  const section = element(
    'section',
    {
      class: panel.kind,
      style: `grid-column: ${x + 1} / span ${w}; grid-row: ${y + 1} / span ${h}`,
      title: panel.description,
    },
    element('h2', {}, panel.title),
  );
  if (panel.kind !== 'stat') section.append(element('p', {}, panel.description));
  section.append(body);
  if (panel.kind === 'stat') section.append(element('p', {}, panel.description));
  document.querySelector('#panels').append(section);
  if (panel.sql === undefined) {
    body.append(
      element(
        'div',
        { class: 'note' },
        'Asked of Prometheus: ',
        element('code', {}, panel.prometheus),
      ),
    );
    return;
  }
  try {
    const { meta, data } = await ask(panel.sql);
    if (data.length === 0) body.append(element('div', { class: 'note' }, 'Nothing in this time.'));
    else ({ stat, lines, bars, table })[panel.kind](body, meta, data, panel);
  } catch (error) {
    body.append(element('div', { class: 'note' }, String(error.message ?? error)));
  }
}

function stat(body, _meta, data, { unit }) {
  const value = data[0][0];
  const [number, suffix] = withUnit(value, unit);
  const shown = element('div', { class: 'value' }, value === null ? '–' : number);
  if (suffix !== '') shown.append(element('small', {}, suffix));
  body.append(shown);
}

function withUnit(value, unit) {
  const number = Number(value);
  if (unit === 'percent') return [short(number), '%'];
  if (unit === 'ms') return number >= 1000 ? [short(number / 1000), 's'] : [short(number), 'ms'];
  if (unit !== 's') return [short(number), ''];
  if (number >= 7200) return [short(number / 3600), 'h'];
  return number >= 120 ? [short(number / 60), 'min'] : [short(number), 's'];
}

function short(number) {
  const size = Math.abs(number);
  if (size >= 1e6) return `${round(number / 1e6)} M`;
  if (size >= 1e4) return `${round(number / 1e3)} k`;
  return round(number);
}

function round(number) {
  const digits = Math.abs(number) >= 100 ? 0 : Math.abs(number) >= 10 ? 1 : 2;
  return Number(number.toFixed(digits)).toLocaleString('en');
}

/** A name per series in the second column, else one series per column. */
function seriesOf(meta, data) {
  const isNamed = meta.length === 3 && /String/.test(meta[1].type);
  const series = new Map();
  const put = (name, key, value) => {
    if (!series.has(name)) series.set(name, new Map());
    series.get(name).set(key, Number(value));
  };
  for (const row of data) {
    if (isNamed) put(row[1], row[0], row[2]);
    else for (let at = 1; at < row.length; at += 1) put(meta[at].name, row[0], row[at]);
  }
  return [...series]
    .sort(([one], [other]) => (isNamed ? one.localeCompare(other) : 0))
    .slice(0, colors.length);
}

function legend(body, names) {
  if (names.length < 2) return;
  const made = element('div', { class: 'legend' });
  names.forEach((name, at) => {
    made.append(
      element('span', {}, element('i', { style: `background: var(${colors[at]})` }), name),
    );
  });
  body.append(made);
}

function canvas(body, names) {
  const width = body.clientWidth;
  const letters = names.reduce((sum, name) => sum + name.length + 4, 0);
  const rows = names.length < 2 ? 0 : Math.ceil((letters * 7) / width);
  const height = body.clientHeight - 4 - rows * 20;
  const svg = shape('svg', { viewBox: `0 0 ${width} ${height}`, height, role: 'img' });
  return { svg, width, height };
}

/** Four or five round steps from the smallest to the largest value, 0 among them. */
function ticks(values) {
  const low = Math.min(0, ...values);
  const high = Math.max(0, ...values, low === 0 ? 1e-9 : 0);
  const raw = (high - low) / 4;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((one) => one >= raw);
  const first = Math.floor(low / step) * step;
  return Array.from(
    { length: Math.ceil((high - first) / step - 1e-9) + 1 },
    (_, at) => first + at * step,
  );
}

function valueAxis({ svg, width }, marks, at, unit, left) {
  for (const mark of marks) {
    const y = at(mark);
    svg.append(
      shape('line', { x1: left, x2: width, y1: y, y2: y, class: mark === 0 ? 'axis' : 'grid' }),
    );
    svg.append(
      shape(
        'text',
        { x: left - 6, y: y + 4, 'text-anchor': 'end' },
        withUnit(mark, unit).join(' ').trim(),
      ),
    );
  }
}

function lines(body, meta, data, { unit }) {
  const series = seriesOf(meta, data);
  const drawing = canvas(
    body,
    series.map(([name]) => name),
  );
  const { svg, width, height } = drawing;
  const left = 58;
  const bottom = height - 22;
  const times = [...new Set(series.flatMap(([, points]) => [...points.keys()]))].map((time) => [
    time,
    timeOf(time),
  ]);
  const begin = Math.min(...times.map(([, ms]) => ms));
  const end = Math.max(...times.map(([, ms]) => ms), begin + 1);
  const marks = ticks(series.flatMap(([, points]) => [...points.values()]));
  const x = (ms) => left + 4 + ((ms - begin) / (end - begin)) * (width - left - 16);
  const y = (value) => bottom - ((value - marks[0]) / (marks.at(-1) - marks[0])) * (bottom - 8);
  valueAxis(drawing, marks, y, unit, left);
  timeAxis(drawing, begin, end, x);
  series.forEach(([name, points], at) => {
    const ordered = [...points]
      .map(([time, value]) => [timeOf(time), value])
      .sort(([one], [other]) => one - other);
    const path = ordered
      .map(([ms, value]) => `${x(ms).toFixed(1)},${y(value).toFixed(1)}`)
      .join(' ');
    const color = `var(${colors[at]})`;
    const line = shape('polyline', {
      points: path,
      fill: 'none',
      stroke: color,
      'stroke-width': 1.8,
      'stroke-linejoin': 'round',
    });
    line.append(shape('title', {}, name));
    svg.append(line);
    if (ordered.length > 30) return;
    for (const [ms, value] of ordered) {
      const dot = shape('circle', { cx: x(ms), cy: y(value), r: 2.6, fill: color });
      dot.append(shape('title', {}, `${name}: ${withUnit(value, unit).join(' ')}`));
      svg.append(dot);
    }
  });
  body.append(svg);
  legend(
    body,
    series.map(([name]) => name),
  );
}

function timeOf(time) {
  return typeof time === 'number' ? time * 1000 : Date.parse(`${time.replace(' ', 'T')}Z`);
}

function timeAxis({ svg, width, height }, begin, end, x) {
  const minute = 60_000;
  const steps = [1, 5, 15, 30, 60, 180, 360, 720, 1440, 2880, 10_080].map(
    (count) => count * minute,
  );
  const step = steps.find((one) => (end - begin) / one <= Math.max(3, width / 110)) ?? steps.at(-1);
  for (let ms = Math.ceil(begin / step) * step; ms <= end; ms += step) {
    const moment = new Date(ms).toISOString();
    const label =
      step >= 1440 * minute || ms % (1440 * minute) === 0
        ? moment.slice(5, 10)
        : moment.slice(11, 16);
    const place = Math.min(x(ms), width - 16);
    svg.append(shape('text', { x: place, y: height - 6, 'text-anchor': 'middle' }, label));
  }
}

/** Lying bars, one row per name, the series stacked. */
function bars(body, meta, data, { unit }) {
  const series = seriesOf(meta, data);
  const names = [...new Set(data.map(([name]) => String(name)))];
  const drawing = canvas(
    body,
    series.map(([name]) => name),
  );
  const { svg, width, height } = drawing;
  const left = Math.min(170, 16 + 7 * Math.max(...names.map((name) => name.length)));
  const sums = names.map((name) =>
    series.reduce((sum, [, points]) => sum + Math.max(0, points.get(name) ?? 0), 0),
  );
  const least = Math.min(0, ...series.flatMap(([, points]) => [...points.values()]));
  const marks = ticks([...sums, least]);
  const bottom = height - 22;
  const x = (value) =>
    left + ((value - marks[0]) / (marks.at(-1) - marks[0])) * (width - left - 34);
  for (const mark of marks) {
    svg.append(
      shape('line', {
        x1: x(mark),
        x2: x(mark),
        y1: 0,
        y2: bottom,
        class: mark === 0 ? 'axis' : 'grid',
      }),
    );
    const label = withUnit(mark, unit).join(' ').trim();
    svg.append(shape('text', { x: x(mark), y: height - 6, 'text-anchor': 'middle' }, label));
  }
  const row = bottom / names.length;
  const thick = Math.min(24, row * 0.66);
  names.forEach((name, index) => {
    const middle = row * (index + 0.5);
    svg.append(
      shape('text', { x: left - 8, y: middle + 4, 'text-anchor': 'end', class: 'name' }, name),
    );
    let from = 0;
    series.forEach(([label, points], at) => {
      const value = points.get(name) ?? 0;
      if (value === 0) return;
      const to = from + value;
      const bar = shape('rect', {
        x: Math.min(x(from), x(to)),
        y: middle - thick / 2,
        width: Math.max(1, Math.abs(x(to) - x(from)) - 1),
        height: thick,
        rx: 2,
        fill: `var(${colors[at]})`,
      });
      bar.append(shape('title', {}, `${name}, ${label}: ${withUnit(value, unit).join(' ')}`));
      svg.append(bar);
      from = to;
    });
    svg.append(shape('text', { x: x(Math.max(0, from)) + 5, y: middle + 4 }, short(from)));
  });
  body.append(svg);
  legend(
    body,
    series.map(([name]) => name),
  );
}

function table(body, meta, data) {
  const isNumber = meta.map(({ type }) => /^(Nullable\()?(U?Int|Float|Decimal)/.test(type));
  const head = element('tr');
  meta.forEach(({ name }, at) => {
    head.append(element('th', isNumber[at] ? { class: 'number' } : {}, name.replaceAll('_', ' ')));
  });
  const rows = data.slice(0, tableRows).map((row) => {
    const line = element('tr');
    row.forEach((cell, at) => {
      const content = shown(cell, meta[at].type);
      const kind = isNumber[at] ? 'number' : content.length > 46 ? 'long' : '';
      line.append(element('td', kind === '' ? {} : { class: kind }, content));
    });
    return line;
  });
  body.append(
    element(
      'div',
      { class: 'scroll' },
      element('table', {}, element('thead', {}, head), element('tbody', {}, ...rows)),
    ),
  );
}

function shown(cell, type) {
  if (cell === null) return '–';
  if (!/DateTime/.test(type)) return String(cell);
  return String(cell).startsWith('1970-01-01') ? '–' : String(cell).slice(0, 19);
}
