import { HttpError } from '../api/errors.ts';
import type { PromptFields, PromptMode } from './prompt_schema.ts';
import type { ClickPrompt, CornerBox, Exemplar } from './types.ts';

/** A concept whose text is not tokenised yet. */
interface TextConcept {
  readonly type: 'concept';
  readonly text: string;
  readonly exemplars: readonly Exemplar[];
}

/** What the models are asked, and which prompt of the request it answers. */
export interface PlannedPrompt {
  /** Into the request's prompts. */
  readonly index: number;
  /** How the answer is called in pictures. */
  readonly label: string;
  readonly ask: TextConcept | ClickPrompt;
}

interface PlannedClick extends PlannedPrompt {
  readonly ask: ClickPrompt;
}

/** What the text encoder is given for boxes alone (models/export/SAM3.md). */
const NAMELESS = 'visual';

/** Sides of a box, as fractions of the image: below, corners would coincide in float32. */
const MIN_SIDE = 1e-6;

type Kind = 'text' | 'box' | 'point';
type Numbered = readonly [PromptFields, number];

/**
 * Turns a request's prompts into what the models are asked, in the request's order: each text is a
 * concept whose exemplars are all the boxes; boxes without a text are one concept without a name; with
 * `mode` "instance" each positive box is an object of its own; each point prompt is an object.
 *
 * @throws HttpError 422 naming the prompt and its field
 */
export function planPrompts(
  prompts: readonly PromptFields[],
  mode: PromptMode = 'concept',
): PlannedPrompt[] {
  const kinds = prompts.map(kindOf);
  const ofKind = (kind: Kind): Numbered[] =>
    prompts.map((prompt, i) => [prompt, i] as const).filter(([, i]) => kinds[i] === kind);
  const boxes = ofKind('box');
  const exemplars = boxes.map(([{ box, label }, i]) => ({
    box: cornerBox(box ?? [], i),
    positive: label ?? true,
  }));
  const objects = mode === 'instance' ? boxes.map(instance) : [];
  const shown = mode === 'instance' ? [] : exemplars;
  const concepts = ofKind('text').map(([{ text }, i]) => concept(text ?? '', i, shown));
  const nameless = concepts.length === 0 && shown.length > 0 ? [namelessConcept(boxes, shown)] : [];
  const clicks = ofKind('point').map(([prompt, i]) => click(prompt, i));
  return [...concepts, ...nameless, ...objects, ...clicks].sort((a, b) => a.index - b.index);
}

/**
 * What corrects one object that is there: the points of all prompts together, and one box at most.
 *
 * @throws HttpError 422 naming the prompt and its field
 */
export function planRefinement(prompts: readonly PromptFields[]): ClickPrompt {
  const parts = prompts.map((prompt, i) => {
    const kind = kindOf(prompt, i);
    if (kind === 'text') {
      throw refusal(i, 'text', 'a text finds objects of its own: send it without obj_id');
    }
    return kind === 'box' ? instance([prompt, i]).ask : clickOf(prompt, i);
  });
  const boxes = parts.flatMap(({ box }, i) => (box ? [{ box, i }] : []));
  if (boxes.length > 1) throw refusal(boxes[1].i, 'box', 'an object has one box, given another');
  return {
    type: 'click',
    points: parts.flatMap(({ points }) => points),
    labels: parts.flatMap(({ labels }) => labels),
    box: boxes[0]?.box ?? null,
  };
}

/** One concept a text, for requests that have nothing else. */
export function planTexts(texts: readonly string[]): PlannedPrompt[] {
  return texts.map((text, index) => concept(text, index, [], `text_prompts.${index}`));
}

const FIELDS: Readonly<Record<Kind, readonly (keyof PromptFields)[]>> = {
  text: ['text'],
  box: ['box'],
  point: ['points', 'point_labels', 'box'],
};

function kindOf(prompt: PromptFields, index: number): Kind {
  const kind = prompt.type ?? inferredKind(prompt, index);
  const needed = FIELDS[kind][0];
  if (prompt[needed] === undefined) {
    throw refusal(index, needed, `required for a ${kind} prompt, given nothing`);
  }
  const foreign = (['text', 'box', 'points', 'point_labels'] as const).find(
    (name) => prompt[name] !== undefined && !FIELDS[kind].includes(name),
  );
  if (foreign) {
    throw refusal(index, foreign, `not for a ${kind} prompt: send it as a prompt of its own`);
  }
  if (prompt.label === false && kind !== 'box') {
    throw refusal(index, 'label', `false is for box prompts, given in a ${kind} prompt`);
  }
  return kind;
}

function inferredKind({ text, box, points }: PromptFields, index: number): Kind {
  if (points) return 'point';
  if (box) return 'box';
  if (text !== undefined) return 'text';
  throw new HttpError(422, `prompts.${index}: expected text, box or points, given none of them`);
}

function concept(
  text: string,
  index: number,
  exemplars: readonly Exemplar[],
  field = `prompts.${index}.text`,
): PlannedPrompt {
  const label = text.trim().replaceAll(/\s+/g, ' ');
  if (label === '') throw new HttpError(422, `${field}: expected words, given only spaces`);
  return { index, label, ask: { type: 'concept', text: label, exemplars } };
}

function namelessConcept(
  boxes: readonly Numbered[],
  exemplars: readonly Exemplar[],
): PlannedPrompt {
  const first = exemplars.findIndex(({ positive }) => positive);
  const [, index] = boxes[Math.max(first, 0)];
  if (first < 0) {
    throw refusal(
      index,
      'label',
      'every box has label false: add a text, or a box with label true, that shows what is meant',
    );
  }
  return { index, label: 'like box', ask: { type: 'concept', text: NAMELESS, exemplars } };
}

function instance([{ box, label }, index]: Numbered): PlannedClick {
  if (label === false) {
    throw refusal(
      index,
      'label',
      'false shows no object in mode "instance": leave it out, or use mode "concept"',
    );
  }
  const ask = { type: 'click', points: [], labels: [], box: cornerBox(box ?? [], index) } as const;
  return { index, label: 'object', ask };
}

function click(prompt: PromptFields, index: number): PlannedClick {
  const ask = clickOf(prompt, index);
  if (!ask.box && !ask.labels.includes(1)) {
    throw refusal(
      index,
      'point_labels',
      'expected a 1 among them, or a box: all points are outside',
    );
  }
  return { index, label: 'object', ask };
}

function clickOf({ points = [], point_labels, box }: PromptFields, index: number): ClickPrompt {
  const labels = (point_labels ?? points.map(() => 1)) as (0 | 1)[];
  if (labels.length !== points.length) {
    throw refusal(
      index,
      'point_labels',
      `expected one label a point, given ${labels.length} labels for ${points.length} points`,
    );
  }
  return {
    type: 'click',
    points: points.map(([x, y]) => [x, y] as const),
    labels,
    box: box ? cornerBox(box, index) : null,
  };
}

/** [cx, cy, w, h] → [x0, y0, x1, y1], without what lies outside the image. */
function cornerBox([cx, cy, w, h]: readonly number[], index: number): CornerBox {
  if (w < MIN_SIDE || h < MIN_SIDE) {
    throw refusal(
      index,
      'box',
      `expected [cx, cy, w, h] with w and h above 0, given [${[cx, cy, w, h]}]`,
    );
  }
  return [
    Math.max(0, cx - w / 2),
    Math.max(0, cy - h / 2),
    Math.min(1, cx + w / 2),
    Math.min(1, cy + h / 2),
  ];
}

function refusal(index: number, field: keyof PromptFields, message: string): HttpError {
  return new HttpError(422, `prompts.${index}.${field}: ${message}`);
}
