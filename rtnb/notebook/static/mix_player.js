// The player of TimelineView: its module is put after this one.

const AHEAD = 8; // seconds of audio that are asked for before they are needed

/** Plays the mix of the session from a moment on, in segments that Python sends while it plays. */
class MixPlayer {
  constructor(send, ended) {
    this.send = send;
    this.ended = ended;
    this.play = 0; // counts the starts: a segment that was asked for by an earlier one is dropped
  }

  get on() { return this.from !== undefined; }

  start(t) {
    this.stop();
    this.context ??= new AudioContext({ sampleRate: 24000 });
    this.context.resume();
    this.from = t;
    this.asked = this.until = t;
    this.began = undefined;
    this.play += 1;
    this.ask();
  }

  ask() {
    this.asked = this.until;
    this.send({ ask: "sound", start: this.until, play: this.play });
  }

  async hear(sound, buffer) {
    if (!this.on || sound.play !== this.play) return;
    this.duration = sound.duration;
    if (!buffer) return this.until <= this.from && this.finish();
    const bytes = buffer.buffer.slice(buffer.byteOffset, buffer.byteOffset + buffer.byteLength);
    const decoded = await this.context.decodeAudioData(bytes);
    if (!this.on || sound.play !== this.play) return;
    this.began ??= this.context.currentTime + 0.05;
    const source = this.context.createBufferSource();
    source.buffer = decoded;
    source.connect(this.context.destination);
    const late = Math.max(0, this.context.currentTime - (this.began + sound.start - this.from));
    this.began += late; // the segment came too late: all that follows sounds that much later, and the cursor waits
    source.start(this.began + sound.start - this.from);
    this.sources.push(source);
    this.until = sound.end;
  }

  /** Return the second of the session that sounds now. */
  now() {
    if (this.began === undefined) return this.from;
    const lag = this.context.outputLatency || 0;
    const t = Math.min(Math.max(this.from, this.from + this.context.currentTime - lag - this.began), this.until);
    if (this.until - t < AHEAD && this.until < this.duration && this.asked !== this.until) this.ask();
    if (t >= this.duration - 0.02) this.finish();
    return t;
  }

  finish() {
    this.stop();
    this.ended();
  }

  stop() {
    for (const source of this.sources ?? []) source.stop();
    this.sources = [];
    this.from = undefined;
  }
}
