"""Runs the four ONNX files the way the server does: stretch, encode, prompt, enlarge, threshold."""

import json
from pathlib import Path

import numpy as np
import onnxruntime as ort
import torch
import torch.nn.functional as F
from tokenizers import Tokenizer

PARTS = ('vision-encoder', 'text-encoder', 'concept-decoder', 'click-decoder')
LENGTH = 32


def resized(logits, height, width):
    """Logits [..., h, w] bilinear to the picture's size, half-pixel centres."""
    flat = torch.from_numpy(np.ascontiguousarray(logits)).reshape(1, -1, *logits.shape[-2:])
    out = F.interpolate(flat, size=(height, width), mode='bilinear', align_corners=False)
    return out[0].reshape(*logits.shape[:-2], height, width).numpy()


class Segmenter:
    """A folder of graphs. Sessions run on the CPU with `threads` threads."""

    def __init__(self, folder, threads=2):
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        self.sessions = {part: ort.InferenceSession(
            Path(folder) / f'{part}.onnx', options, providers=['CPUExecutionProvider'])
            for part in PARTS}
        self.metadata = self.sessions['vision-encoder'].get_modelmeta().custom_metadata_map
        self.size = int(self.metadata['image_size'])
        self.mask = int(self.metadata['mask_size'])
        self.eos = int(self.metadata['eos_token_id'])
        self.tokenizer = Tokenizer.from_file(str(Path(folder) / 'tokenizer.json'))
        self.texts = {}

    def _run(self, part, feeds):
        session = self.sessions[part]
        names = [o.name for o in session.get_outputs()]
        return dict(zip(names, session.run(names, feeds)))

    def encode(self, picture):
        """uint8 [H, W, 3] → the encoder's maps."""
        x = torch.from_numpy(picture).permute(2, 0, 1)[None].contiguous()
        # On bytes, as the server: PyTorch then rounds after each axis.
        x = F.interpolate(x, size=(self.size, self.size), mode='bilinear', align_corners=False,
                          antialias=True)
        x = (x.float() - 127.5) / 127.5
        return self._run('vision-encoder', {'pixel_values': x.numpy()})

    def text(self, phrase):
        """`text_features` and `text_mask` [1, 32, …] of a phrase."""
        if phrase not in self.texts:
            ids = self.tokenizer.encode(phrase).ids
            ids = ids if len(ids) <= LENGTH else [*ids[:LENGTH - 1], self.eos]
            mask = np.zeros((1, LENGTH), np.float32)
            mask[0, :len(ids)] = 1
            row = np.full((1, LENGTH), self.eos, np.int64)
            row[0, :len(ids)] = ids
            self.texts[phrase] = self._run('text-encoder', {'input_ids': row,
                                                            'attention_mask': mask})
        return self.texts[phrase]

    def concept(self, maps, phrase='visual', boxes=(), labels=()):
        """Scores [Q], mask logits [Q, m, m] and boxes [Q, 4]; boxes are x0, y0, x1, y1 in 0 … 1."""
        given = np.zeros((1, max(1, len(boxes)), 4), np.float32)
        marks = np.full((1, max(1, len(boxes))), -10, np.float32)
        for k, (x0, y0, x1, y1) in enumerate(boxes):
            given[0, k] = (x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0
            marks[0, k] = labels[k] if len(labels) else 1
        feeds = {k: maps[k] for k in ('fpn_feat_0', 'fpn_feat_1', 'fpn_feat_2')}
        out = self._run('concept-decoder', {
            **feeds, **self.text(phrase), 'input_boxes': given, 'input_boxes_labels': marks})
        score = 1 / (1 + np.exp(-out['pred_logits'][0])) / (1 + np.exp(-out['presence_logits'][0]))
        return score, out['pred_masks'][0], out['pred_boxes'][0]

    def click(self, maps, points=(), labels=(), box=None, mask=None, multimask=None):
        """The click decoder's outputs for one object; points and box in 0 … 1."""
        points, labels = [list(p) for p in points], list(labels)
        if box is not None:
            points += [[box[0], box[1]], [box[2], box[3]]]
            labels += [2, 3]
        if multimask is None:
            multimask = len(points) == 1
        if not points:
            points, labels = [[0, 0]], [-1]
        feeds = {k: maps[k] for k in ('image_embeddings.0', 'image_embeddings.1',
                                      'image_embeddings.2')}
        empty = np.zeros((1, 1, self.mask, self.mask), np.float32)
        return self._run('click-decoder', {
            **feeds, 'input_points': np.array([[points]], np.float32) * self.size,
            'input_labels': np.array([[labels]], np.float32),
            'input_masks': empty if mask is None else mask,
            'has_input_masks': np.array([mask is not None], np.float32),
            'multimask': np.array([multimask], np.float32)})


def write_json(path, data):
    Path(path).write_text(f'{json.dumps(data, indent=1)}\n')
