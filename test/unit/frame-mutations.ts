import { join, text, type Pieces } from './framed-messages.ts'

/** What an attacker does to a message, who has another one of the same key and shape. */
export type Mutation = (message: Pieces, other: Pieces, i: number, j: number) => Uint8Array

const without = ({ frames }: Pieces, i: number): readonly Uint8Array[] => frames.filter((_, at) => at !== i)

export const MUTATIONS: Readonly<Record<string, Mutation>> = {
  'a frame is left out': (message, _, i) => join(message.header, without(message, i)),
  'the frames from one on are left out': ({ header, frames }, _, i) => join(header, frames.slice(0, i)),
  'the last bytes are left out': ({ header, frames }, _, i) => join(header, frames).slice(0, -1 - i),
  'a frame stands there twice': ({ header, frames }, _, i) =>
    join(header, [...frames.slice(0, i + 1), ...frames.slice(i)]),
  'two frames change places': ({ header, frames }, _, i, j) => {
    const swapped = [...frames]
    ;[swapped[i], swapped[j]] = [frames[j]!, frames[i]!]
    return join(header, swapped)
  },
  'a frame is one of another message': ({ header, frames }, other, i) =>
    join(
      header,
      frames.map((frame, at) => (at === i ? other.frames[at]! : frame)),
    ),
  'all frames are those of another message': ({ header }, other) => join(header, other.frames),
  'the frames of another message follow': ({ header, frames }, other) => join(header, [...frames, ...other.frames]),
  'bytes follow': ({ header, frames }, _, i) => join(header, [...frames, text(i + 1)]),
  'a frame is put in elsewhere': ({ header, frames }, _, i, j) =>
    join(header, [...frames.slice(0, i), frames[j]!, ...frames.slice(i)]),
  'a bit is another one': ({ header, frames }, _, i, j) => {
    const changed = join(header, frames)
    changed[(header.length + i * 37 + j) % changed.length]! ^= 1 << (i % 8)
    return changed
  },
}
