"""transformers' SAM 3 tracker over a clip, prompted as in the original code.

`Sam3TrackerVideoModel` computes and propagates. Only what a prompt does follows the original
(facebookresearch/sam3, `sam3_tracking_predictor.py`) where transformers differs: it touches its
object alone; the mask that is there is fed with further points, clamped to +-32; and a frame that
was corrected becomes a conditioning frame. A given mask is remembered at the size of decoded masks,
as the exported graph takes it, instead of the image's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F
from transformers import Sam3VideoModel
from transformers.models.sam3_tracker_video.modeling_sam3_tracker_video import (
    Sam3TrackerVideoInferenceSession,
)

from sam3_model import tracker_video_model

CLAMP = 32.0
# Mask logits [h, w], object score, and best IoU (None where it was not computed anew).
Output = tuple[torch.Tensor, float, float | None]


@dataclass
class Frame:
    """What is known of a frame: outputs by object."""

    frame: int
    objects: dict[int, Output]


class Tracking:
    """One session over a clip [frames, S, S, 3] of the model's own size."""

    def __init__(self, model: Sam3VideoModel, frames: np.ndarray, *, rounded: bool) -> None:
        self.model = tracker_video_model(model)
        pixels = torch.from_numpy(frames.astype(np.float32)).permute(0, 3, 1, 2)
        self.session = Sam3TrackerVideoInferenceSession(
            video=(pixels - 127.5) / 127.5,
            video_height=frames.shape[1],
            video_width=frames.shape[2],
            dtype=torch.float32,
        )
        self.ious: list[float] = []
        self.listen()
        self.flatten_pointers()
        if not rounded:
            self.keep_precision()

    def listen(self) -> None:
        """Note the IoU of each mask, which transformers does not hand out."""
        forward = self.model._single_frame_forward

        def noting(**inputs: Any) -> Any:
            found = forward(**inputs)
            self.ious.append(float(found.iou_scores.max()))
            return found

        self.model._single_frame_forward = noting

    def flatten_pointers(self) -> None:
        """Give pointers the two dimensions that transformers assumes where memories are as wide."""
        process = self.model._process_object_pointers
        self.model._process_object_pointers = lambda offsets, pointers, *rest: process(
            offsets, [pointer.reshape(1, -1) for pointer in pointers], *rest
        )

    def keep_precision(self) -> None:
        """Store memories in float32; transformers rounds them to bfloat16."""
        kept: list[torch.Tensor] = []
        # The occlusion embedding is added to this tensor in place.
        self.model.memory_encoder.register_forward_hook(
            lambda _module, _inputs, output: kept.append(output[0])
        )
        encode = self.model._encode_new_memory

        def precise(*inputs: Any, **options: Any) -> tuple[torch.Tensor, torch.Tensor]:
            kept.clear()
            _, positions = encode(*inputs, **options)
            return kept[0].flatten(2).permute(2, 0, 1), positions

        self.model._encode_new_memory = precise

    def prompt(self, operation: dict[str, Any]) -> Frame:
        """Add points, or a box that replaces earlier points, to one object on one frame."""
        session, side = self.session, self.model.image_size
        obj, frame = operation["object"], operation["frame"]
        index = session.obj_id_to_idx(obj)
        points = (np.array(operation["points"]).reshape(-1, 2) * side).tolist()
        labels = list(operation["labels"])
        if operation["box"]:
            corners = (np.array(operation["box"]).reshape(2, 2) * side).tolist()
            points, labels = [*corners, *points], [2, 3, *labels]
        coordinates = torch.tensor([[points]], dtype=torch.float32)
        kinds = torch.tensor([[labels]])
        earlier = session.point_inputs_per_obj[index].get(frame)
        if earlier and not operation["box"]:
            coordinates = torch.cat([earlier["point_coords"], coordinates], dim=2)
            kinds = torch.cat([earlier["point_labels"], kinds], dim=2)
        given = {"point_coords": coordinates, "point_labels": kinds}
        session.add_point_inputs(index, frame, given)
        return self.infer(obj, frame, point_inputs=given, mask_inputs=None)

    def prompt_mask(self, obj: int, frame: int, mask: np.ndarray) -> Frame:
        """Start an object from a mask of the model's size."""
        self.session.obj_id_to_idx(obj)
        given = torch.from_numpy(mask.astype(np.float32))[None, None]
        return self.infer(obj, frame, point_inputs=None, mask_inputs=given)

    @torch.no_grad()
    def infer(self, obj: int, frame: int, **prompts: Any) -> Frame:
        model, session = self.model, self.session
        index = session.obj_id_to_idx(obj)
        outputs = session.output_dict_per_obj[index]
        own = outputs["cond_frame_outputs"].pop(frame, None)
        other = outputs["non_cond_frame_outputs"].pop(frame, None)
        tracked = session.frames_tracked_per_obj[index].get(frame)
        present = own or other
        found = model._run_single_frame_inference(
            inference_session=session,
            frame_idx=frame,
            obj_idx=index,
            batch_size=1,
            is_init_cond_frame=tracked is None,
            reverse=bool(tracked and tracked["reverse"]),
            prev_sam_mask_logits=(
                present["pred_masks"].clamp(-CLAMP, CLAMP)
                if present and prompts["mask_inputs"] is None
                else None
            ),
            **prompts,
        )
        if prompts["mask_inputs"] is not None:
            # The exported memory encoder takes masks at the decoder's size.
            size = found["high_res_masks"].shape[-2:]
            low = found["pred_masks"].reshape(1, 1, *found["pred_masks"].shape[-2:])
            found["high_res_masks"] = F.interpolate(low, size, mode="bilinear")
        session.store_output(index, frame, output_value=found, is_conditioning_frame=True)
        model._batch_encode_memories(
            inference_session=session,
            frame_idx=frame,
            objects_needing_memory_encoding=[index],
            high_res_masks_for_memory=[found["high_res_masks"]],
            object_score_logits_for_memory=[found["object_score_logits"].reshape(1, 1)],
            is_mask_from_pts_per_obj=[True],
        )
        score = float(found["object_score_logits"])
        return Frame(frame, {obj: (found["pred_masks"].squeeze(), score, self.ious[-1])})

    @torch.no_grad()
    def track(self, first: int, last: int) -> list[Frame]:
        """Propagate from `first` to `last` in transformers' own loop."""
        frames = []
        passes = self.model.propagate_in_video_iterator(
            self.session,
            start_frame_idx=first,
            max_frame_num_to_track=abs(last - first),
            reverse=last < first,
        )
        self.ious.clear()
        for found in passes:
            reused = {
                obj
                for obj in found.object_ids
                if found.frame_idx
                in self.session.output_dict_per_obj[self.session.obj_id_to_idx(obj)][
                    "cond_frame_outputs"
                ]
            }
            objects: dict[int, Output] = {}
            for row, obj in enumerate(found.object_ids):
                iou = None if obj in reused else self.ious.pop(0)
                logits = found.pred_masks[row].squeeze()
                objects[obj] = (logits, float(found.object_score_logits[row]), iou)
            frames.append(Frame(found.frame_idx, objects))
        return frames
