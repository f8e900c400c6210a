import { readSync } from 'node:fs';
import { ModelError } from './errors.ts';

/**
 * A reader of the protobuf wire format (https://protobuf.dev/programming-guides/encoding/) that
 * looks only at what is asked for: a length-delimited field is skipped by moving a position, so
 * that the gigabytes of weights in a model are never read.
 */

/** Random access to bytes. Positions count from the start of the file. */
export interface ByteSource {
  readonly size: number;
  /** At most `length` bytes from `position`; fewer only at the end. */
  read(position: number, length: number): Uint8Array;
}

/** One field of a message; `start` and `end` bound the value, not the key. */
export interface Field {
  readonly number: number;
  readonly wire: WireType;
  readonly start: number;
  readonly end: number;
  /** A varint's value; exact below 2^53, which every size and tag of a sane file is. */
  readonly value: number;
}

export type WireType = 'varint' | 'fixed64' | 'bytes' | 'fixed32';

/** More fields than this and the file is no model: keeps a hostile file from running for hours. */
const FIELD_LIMIT = 4_000_000;
const WINDOW_BYTES = 16_384;

export function bytesSource(bytes: Uint8Array): ByteSource {
  return {
    size: bytes.byteLength,
    read: (position, length) => bytes.subarray(position, position + length),
  };
}

/** Reads an open file; the descriptor stays the caller's. */
export function fileSource(descriptor: number, size: number): ByteSource {
  return {
    size,
    read(position, length) {
      const buffer = new Uint8Array(Math.min(length, Math.max(0, size - position)));
      return buffer.subarray(0, readSync(descriptor, buffer, 0, buffer.byteLength, position));
    },
  };
}

export class ProtobufReader {
  private window: Uint8Array = new Uint8Array(0);
  private windowStart = 0;
  private fieldsRead = 0;
  private readonly decoder = new TextDecoder('utf-8', { fatal: true });

  constructor(private readonly source: ByteSource) {}

  get size(): number {
    return this.source.size;
  }

  /**
   * The fields of the message in [start, end), in file order.
   *
   * @throws ModelError `format` at a key or a length that cannot be.
   */
  *fields(start: number, end: number): Generator<Field> {
    let position = start;
    while (position < end) {
      if (++this.fieldsRead > FIELD_LIMIT) {
        throw new ModelError('format', `more than ${FIELD_LIMIT} fields: not a model`);
      }
      const field = this.field(position, end);
      yield field;
      position = field.end;
    }
  }

  /** A string field of at most `limit` bytes. */
  text(field: Field, limit: number): string {
    this.expectWire(field, 'bytes');
    const length = field.end - field.start;
    if (length > limit) {
      throw this.error(field.start, `a name of ${length} bytes (at most ${limit} expected)`);
    }
    try {
      return this.decoder.decode(this.slice(field.start, length));
    } catch {
      throw this.error(field.start, 'a name that is not UTF-8');
    }
  }

  /** Fails unless the field has the wire type its meaning requires. */
  expectWire(field: Field, wire: WireType): void {
    if (field.wire === wire) return;
    throw this.error(field.start, `field ${field.number} is ${field.wire}, expected ${wire}`);
  }

  /** The values of a repeated varint field, packed or not. */
  *varints(field: Field): Generator<number> {
    if (field.wire === 'varint') {
      yield field.value;
      return;
    }
    this.expectWire(field, 'bytes');
    for (let position = field.start; position < field.end; ) {
      const item = this.varint(position, field.end);
      yield item.value;
      position = item.end;
    }
  }

  private field(position: number, end: number): Field {
    const key = this.varint(position, end);
    const number = Math.floor(key.value / 8);
    if (number < 1 || number > 536_870_911) {
      throw this.error(position, `field number ${number}`);
    }
    switch (key.value % 8) {
      case 0: {
        const item = this.varint(key.end, end);
        return { number, wire: 'varint', start: key.end, end: item.end, value: item.value };
      }
      case 1:
        return this.span(number, 'fixed64', key.end, 8, end);
      case 2: {
        const length = this.varint(key.end, end);
        return this.span(number, 'bytes', length.end, length.value, end);
      }
      case 5:
        return this.span(number, 'fixed32', key.end, 4, end);
      default:
        throw this.error(position, `wire type ${key.value % 8}`);
    }
  }

  private span(number: number, wire: WireType, start: number, length: number, end: number): Field {
    if (length > end - start) {
      throw this.error(
        start,
        `field ${number} is ${length} bytes long but only ${end - start} are left ` +
          '(a cut-off download?)',
      );
    }
    return { number, wire, start, end: start + length, value: 0 };
  }

  private varint(position: number, end: number): { value: number; end: number } {
    let value = 0;
    let scale = 1;
    for (let index = position; index < Math.min(end, position + 10); index++) {
      const byte = this.byteAt(index);
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return { value, end: index + 1 };
      scale *= 128;
    }
    throw this.error(position, 'a number that does not end');
  }

  private byteAt(position: number): number {
    const offset = position - this.windowStart;
    if (offset >= 0 && offset < this.window.byteLength) return this.window[offset];
    this.window = this.source.read(position, WINDOW_BYTES);
    this.windowStart = position;
    if (this.window.byteLength === 0) throw this.error(position, 'the end of the file');
    return this.window[0];
  }

  private slice(start: number, length: number): Uint8Array {
    const offset = start - this.windowStart;
    if (offset >= 0 && offset + length <= this.window.byteLength) {
      return this.window.subarray(offset, offset + length);
    }
    return this.source.read(start, length);
  }

  private error(position: number, found: string): ModelError {
    return new ModelError('format', `found ${found} at byte ${position}`);
  }
}
