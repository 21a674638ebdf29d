// :shortcode:, or a sign that not every font has -> a small picture drawn here. Unknown names stay as typed.
import { el } from './dom.js';

const SVG = 'http://www.w3.org/2000/svg';

// [fill colour, background shape, sign drawn in white]: drawn, so that they look the same without an emoji font.
const DRAWN = {
  white_check_mark: ['#1a7f4b', 'square', 'M5.5 12.5l4 4 9-9'], heavy_check_mark: ['#1a7f4b', 'square', 'M5.5 12.5l4 4 9-9'],
  x: ['#c62828', 'square', 'M7 7l10 10M17 7L7 17'], no_entry: ['#c62828', 'circle', 'M6.5 12h11'], no_entry_sign: ['#c62828', 'circle', 'M6.5 6.5l11 11'],
  warning: ['#b45309', 'triangle', 'M12 10v4.5M12 17.4v.5'], rotating_light: ['#c62828', 'triangle', 'M12 10v4.5M12 17.4v.5'],
  double_vertical_bar: ['#44546a', 'square', 'M9 7v10M15 7v10'], pause_button: ['#44546a', 'square', 'M9 7v10M15 7v10'],
  arrow_forward: ['#1a7f4b', 'square', 'M9.5 7l6.5 5-6.5 5z'], information_source: ['#1d5fa8', 'square', 'M12 11v6M12 7v.5'],
  hourglass: ['#44546a', 'square', 'M8 6.5h8L12 12l4 5.5H8L12 12z'], hourglass_flowing_sand: ['#7a5b16', 'circle', 'M8 6.5h8L12 12l4 5.5H8L12 12z'],
  ballot_box_with_check: ['#1d5fa8', 'square', 'M5.5 5.5h13v13h-13zM8.5 12l2.5 2.5 4.5-5'], question: ['#9a6700', 'circle', 'M9 9.5a3 3 0 115 2c-1.3 1-2 1.5-2 2.8M12 17.2v.3'],
  exclamation: ['#c62828', 'circle', 'M12 6.5v6.5M12 16.7v.3'], leftwards_arrow_with_hook: ['#44546a', 'square', 'M10 7L6.5 10.5 10 14M7 10.5h7a3.5 3.5 0 010 7h-2'],
  play_or_pause_button: ['#44546a', 'square', 'M6 7.5l5.5 4.5L6 16.5zM14.5 7.5v9M18 7.5v9'],
  lock: ['#44546a', 'square', 'M7.5 11h9v6h-9zM9.5 11V9a2.5 2.5 0 015 0v2'], bell: ['#7a5b16', 'circle', 'M7 15.5h10l-1.5-2V11a3.5 3.5 0 00-7 0v2.5zM12 18v.3'],
  large_green_circle: ['#1a7f4b', 'circle', 'M7.5 12.5l3 3 6-6.5'], large_yellow_circle: ['#9a6700', 'circle', 'M12 8v5M12 16v.4'],
  red_circle: ['#c62828', 'circle', 'M7.5 12h9'], large_blue_circle: ['#1d5fa8', 'circle', ''], white_circle: ['#8a94a3', 'circle', ''],
  eyes: ['#44546a', 'circle', 'M4.5 12S7.5 8 12 8s7.5 4 7.5 4-3 4-7.5 4-7.5-4-7.5-4zM12 12v.3'], robot_face: ['#44546a', 'square', 'M7 10h10v7H7zM12 7v3M10 13v.5M14 13v.5'],
  key: ['#7a5b16', 'circle', 'M8 14.5a2.5 2.5 0 110-5 2.5 2.5 0 010 5zM10.5 12H18M15.5 12v2.5M18 12v2'], speech_balloon: ['#1d5fa8', 'square', 'M6 7h12v8h-6l-3.5 3v-3H6z'],
  palm_tree: ['#1a7f4b', 'circle', 'M12 19c-.5-4 0-6 1-9M13 10c-2-2.5-5-2.500-7-.5M13 10c1.500-2.500 4-3 6-1M13 10c1.500.5 3 2 3.500 4'], telephone: ['#44546a', 'circle', 'M8 7l2 3-1.500 1.500c1 2 2 3 4 4L14 14l3 2-1 2.500C11 18 6.500 13 6 8z'],
  wave: ['#7a5b16', 'circle', 'M8 13V8.500M11 12V7M14 12V8M16.500 13v-2.500M8 12.500c0 6 8.500 6 8.500 0'],
  busts_in_silhouette: ['#1d5fa8', 'square', 'M9 11a2 2 0 100-4 2 2 0 000 4zM5.5 17c0-5 7-5 7 0M15.5 11.500a1.800 1.800 0 100-3.600M15 13.500c2.500 0 3.500 1.500 3.500 3.500'], triangular_flag_on_post: ['#c62828', 'square', 'M8 19V6l9 3.500L8 13'],
  clock3: ['#44546a', 'circle', 'M12 7v5h4'], stopwatch: ['#44546a', 'circle', 'M12 7v5h4'], repeat: ['#1d5fa8', 'square', 'M7 10h9l-2-2.5M17 14H8l2 2.5'],
  test_tube: ['#1d5fa8', 'circle', 'M9 6.5h6M10.2 6.5v9a1.8 1.8 0 003.6 0v-9M10.2 12h3.6'],
  octagonal_sign: ['#c62828', 'circle', 'M8 8h8v8H8z'], shield: ['#1d5fa8', 'circle', 'M12 6l5 2v4c0 3-2 5-5 6-3-1-5-3-5-6V8z'], bar_chart: ['#44546a', 'square', 'M8 17v-5M12 17V8M16 17v-7'],
};

const CHARACTERS = {
  thumbsup: '\u{1F44D}', '+1': '\u{1F44D}', thumbsdown: '\u{1F44E}', '-1': '\u{1F44E}', tada: '\u{1F389}', fire: '\u{1F525}', rocket: '\u{1F680}',
  moneybag: '\u{1F4B0}', money_with_wings: '\u{1F4B8}', email: '\u{2709}', memo: '\u{1F4DD}', mag: '\u{1F50D}', star: '\u{2605}', heart: '\u{2764}',
  point_right: '\u{261E}', clipboard: '\u{1F4CB}', scroll: '\u{1F4DC}', smile: '\u{263A}', slightly_smiling_face: '\u{263A}', package: '\u{1F4E6}',
};

// What the bot writes as a character: real Slack draws these itself, and many fonts do not have them.
const NAMES = {
  '\u23F3': 'hourglass_flowing_sand', '\u231B': 'hourglass', '\u23F8': 'double_vertical_bar', '\u25B6': 'arrow_forward', '\u23EF': 'play_or_pause_button', '\u2705': 'white_check_mark',
  '\u2611': 'ballot_box_with_check', '\u2753': 'question', '\u2757': 'exclamation', '\u26D4': 'no_entry', '\u21A9': 'leftwards_arrow_with_hook', '\u26A0': 'warning', '\u{1F9EA}': 'test_tube',
  '\u{1F534}': 'red_circle', '\u274C': 'x', '\u23F0': 'clock3', '\u23F1': 'stopwatch', '\u{1F6A8}': 'rotating_light', '\u{1F6D1}': 'octagonal_sign', '\u{1F510}': 'lock', '\u{1F512}': 'lock', '\u{1F511}': 'key', '\u{1F4AC}': 'speech_balloon',
  '\u{1F334}': 'palm_tree', '\u{1F44B}': 'wave', '\u260E': 'telephone', '\u{1F465}': 'busts_in_silhouette', '\u{1F6A9}': 'triangular_flag_on_post',
};

function backdrop(shape) {
  if (shape === 'triangle') return 'M12 2.5L1.8 21h20.4z';
  return shape === 'circle' ? 'M12 2a10 10 0 100 20 10 10 0 000-20z' : 'M5 2h14a3 3 0 013 3v14a3 3 0 01-3 3H5a3 3 0 01-3-3V5a3 3 0 013-3z';
}

/** The node for one emoji name, or null when the name is not known. */
export function emoji(name) {
  const drawn = Object.hasOwn(DRAWN, name) ? DRAWN[name] : null;
  const words = name.replaceAll('_', ' ');
  if (drawn) {
    const svg = document.createElementNS(SVG, 'svg');
    const attributes = { viewBox: '0 0 24 24', class: 'emoji', role: 'img', 'aria-label': words };
    for (const [key, value] of Object.entries(attributes)) svg.setAttribute(key, value);
    const [fill, shape, sign] = drawn;
    for (const [cls, d] of [['emoji-back', backdrop(shape)], ['emoji-sign', sign]]) {
      const path = document.createElementNS(SVG, 'path');
      path.setAttribute('class', cls);
      path.setAttribute('d', d);
      if (cls === 'emoji-back') path.setAttribute('fill', fill);
      svg.append(path);
    }
    return svg;
  }
  if (!Object.hasOwn(CHARACTERS, name)) return null;
  return el('span', { class: 'emoji-char', role: 'img', 'aria-label': words }, CHARACTERS[name]);
}

/** The drawing of one sign, or null when it is a character like any other. */
export const sign = (character) => (Object.hasOwn(NAMES, character) ? emoji(NAMES[character]) : null);

/** Every sign that is drawn here. */
export const SIGNS = Object.keys(NAMES).join('');
