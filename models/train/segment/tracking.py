"""Follows one object through a clip the way the server does (src/video/track): SAM 2's memory with
SAM 3's selection, one click or a mask on the first frame, forward in time."""

import numpy as np

ROWS, POINTERS, LEAST = 7, 16, 0.01


class Clip:
    """The frames of a clip, encoded once for all objects. `run(part, feeds)` gives a graph's
    outputs by name as arrays."""

    def __init__(self, run, frames):
        self.run = run
        self.maps = [run('vision-encoder', {'pixel_values': f}) for f in frames]
        self.mask = self.maps[0]['image_embeddings.0'].shape[-1]

    def decode(self, index, embedding, points, labels, given=None):
        """Mask logits [1, 1, m, m], object score, IoU, pointer [1, C]; points in model pixels."""
        empty = np.zeros((1, 1, self.mask, self.mask), np.float32)
        maps = self.maps[index]
        out = self.run('click-decoder', {
            'image_embeddings.0': maps['image_embeddings.0'],
            'image_embeddings.1': maps['image_embeddings.1'], 'image_embeddings.2': embedding,
            'input_points': np.array([[points]], np.float32),
            'input_labels': np.array([[labels]], np.float32),
            'input_masks': empty if given is None else given,
            'has_input_masks': np.array([given is not None], np.float32),
            'multimask': np.ones(1, np.float32)})
        return (out['best_mask'], float(out['object_score_logits'].ravel()[0]),
                float(out['best_iou'].ravel()[0]), out['object_pointer'])

    def remember(self, index, mask, score, prompted):
        return self.run('memory-encoder', {
            'tracker_feat': self.maps[index]['tracker_feat'], 'mask_logits': mask,
            'object_score_logits': np.array([[score]], np.float32),
            'is_mask_from_points': np.array([prompted], np.float32)})['memory_features']

    def click(self, point):
        """What a click on the first frame gives (model pixels)."""
        return self.decode(0, self.maps[0]['image_embeddings.2'], [point], [1])

    def given(self, mask):
        """What a mask of the first frame gives, 0 or 1 float32 [S, S]."""
        logits = self.run('mask-prompt', {'mask': mask[None, None]})['input_masks']
        pointer = self.decode(0, self.maps[0]['tracker_feat'], [[0, 0]], [-1], logits)[3]
        return logits, 10.0, 1.0, pointer

    def track(self, first):
        """Mask logits [m, m] of every frame, or None where the object is absent; `first` is what
        the first frame gave."""
        frames = len(self.maps)
        span = max(1, min(frames, POINTERS) - 1)
        memories, known = {0: self.remember(0, first[0], first[1], 1)}, {0: first}
        for t in range(1, frames):
            well = [k for k in range(t - 2, 0, -1) if effective(*known[k][1:3]) > LEAST]
            past = ([t - 1] + well)[:POINTERS - 1]
            recent = [(k, row) for row, k in enumerate(past[:ROWS - 1]) if k > 0]
            slots = [(0, ROWS - 1), *recent]
            offsets = [t] + [row + 1 for row, k in enumerate(past) if k > 0]
            pointers = [known[0][3]] + [known[k][3] for k in past if k > 0]
            fused = self.run('memory-attention', {
                'tracker_feat': self.maps[t]['tracker_feat'],
                'memory_features': np.stack([memories[k][0] for k, _ in slots])[None],
                'memory_rows': np.array([[row for _, row in slots]], np.float32),
                'object_pointers': np.concatenate(pointers)[None],
                'pointer_offsets': np.array([offsets], np.float32) / span})['fused_feat']
            known[t] = self.decode(t, fused, [[0, 0]], [-1])
            memories[t] = self.remember(t, known[t][0], known[t][1], 0)
        return [known[t][0][0, 0] if known[t][1] > 0 else None for t in range(frames)]


def effective(score, iou):
    """The server's effectiveIou."""
    return (2 / (1 + np.exp(-score)) - 1) * iou if score > 0 else 0.0
