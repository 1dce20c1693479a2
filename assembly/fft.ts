// Complex FFT, radix-4 Stockham with one radix-2 step where needed (Van Loan, Computational Frameworks
// for the FFT, section 1.7), four lines in the lanes of a v128. Sizes 64, 128 and 512; forward has the
// kernel exp(-2 pi i k x / n), the inverse is unscaled. Planes are split: re[], im[] as f32.
import { take } from "./memory";

const LARGEST = 512;
/** exp(-2 pi i k / 512) as pairs of f32; smaller sizes read every 4th or 8th. */
const TWIDDLES: usize = take(LARGEST * 8);
/** Two strips of LARGEST complex v128, the ping and the pong of Stockham. */
const PING: usize = take(LARGEST * 32);
const PONG: usize = take(LARGEST * 32);

for (let k = 0; k < LARGEST; k++) {
  const angle = (-2.0 * Math.PI * <f64>k) / <f64>LARGEST;
  store<f32>(TWIDDLES + ((<usize>k) << 3), <f32>Math.cos(angle));
  store<f32>(TWIDDLES + ((<usize>k) << 3), <f32>Math.sin(angle), 4);
}

/** Transforms the strip in PING; returns where the result lies (PING or PONG). */
function transformStrip(n: i32, inverse: bool): usize {
  let from = PING;
  let to = PONG;
  let length = n;
  let stride: usize = 1;
  const step: usize = (<usize>(LARGEST / n)) << 3;
  const sign = f32x4.splat(inverse ? -1.0 : 1.0);
  while (length >= 4) {
    const quarter = length >> 2;
    const block = stride << 5;
    const apart = <usize>quarter * block;
    let src = from;
    let dst = to;
    for (let p: usize = 0; p < <usize>quarter; p++) {
      const t1 = TWIDDLES + p * stride * step;
      const t2 = TWIDDLES + 2 * p * stride * step;
      const t3 = TWIDDLES + 3 * p * stride * step;
      const w1r = v128.load32_splat(t1);
      const w1i = f32x4.mul(v128.load32_splat(t1, 4), sign);
      const w2r = v128.load32_splat(t2);
      const w2i = f32x4.mul(v128.load32_splat(t2, 4), sign);
      const w3r = v128.load32_splat(t3);
      const w3i = f32x4.mul(v128.load32_splat(t3, 4), sign);
      const end = src + block;
      while (src < end) {
        const src1 = src + apart;
        const src2 = src1 + apart;
        const src3 = src2 + apart;
        const ar = v128.load(src);
        const ai = v128.load(src, 16);
        const br = v128.load(src1);
        const bi = v128.load(src1, 16);
        const cr = v128.load(src2);
        const ci = v128.load(src2, 16);
        const dr = v128.load(src3);
        const di = v128.load(src3, 16);
        const acr = f32x4.add(ar, cr);
        const aci = f32x4.add(ai, ci);
        const sr = f32x4.sub(ar, cr);
        const si = f32x4.sub(ai, ci);
        const bdr = f32x4.add(br, dr);
        const bdi = f32x4.add(bi, di);
        const jr = f32x4.mul(f32x4.sub(di, bi), sign);
        const ji = f32x4.mul(f32x4.sub(br, dr), sign);
        const e1r = f32x4.sub(sr, jr);
        const e1i = f32x4.sub(si, ji);
        const e2r = f32x4.sub(acr, bdr);
        const e2i = f32x4.sub(aci, bdi);
        const e3r = f32x4.add(sr, jr);
        const e3i = f32x4.add(si, ji);
        const dst1 = dst + block;
        const dst2 = dst1 + block;
        const dst3 = dst2 + block;
        v128.store(dst, f32x4.add(acr, bdr));
        v128.store(dst, f32x4.add(aci, bdi), 16);
        v128.store(dst1, f32x4.sub(f32x4.mul(w1r, e1r), f32x4.mul(w1i, e1i)));
        v128.store(dst1, f32x4.add(f32x4.mul(w1r, e1i), f32x4.mul(w1i, e1r)), 16);
        v128.store(dst2, f32x4.sub(f32x4.mul(w2r, e2r), f32x4.mul(w2i, e2i)));
        v128.store(dst2, f32x4.add(f32x4.mul(w2r, e2i), f32x4.mul(w2i, e2r)), 16);
        v128.store(dst3, f32x4.sub(f32x4.mul(w3r, e3r), f32x4.mul(w3i, e3i)));
        v128.store(dst3, f32x4.add(f32x4.mul(w3r, e3i), f32x4.mul(w3i, e3r)), 16);
        src += 32;
        dst += 32;
      }
      dst += block * 3;
    }
    length = quarter;
    stride <<= 2;
    const swap = from;
    from = to;
    to = swap;
  }
  if (length == 2) {
    const block = stride << 5;
    for (let at: usize = 0; at < block; at += 16) {
      const a = v128.load(from + at);
      const b = v128.load(from + block + at);
      v128.store(to + at, f32x4.add(a, b));
      v128.store(to + block + at, f32x4.sub(a, b));
    }
    return to;
  }
  return from;
}

/** Moves four rows of n f32 into one half (re or im) of a strip, lane = row. */
function rowsIn(rows: usize, rowBytes: usize, strip: usize, n: i32): void {
  for (let x = 0; x < n; x += 4) {
    const a = v128.load(rows);
    const b = v128.load(rows + rowBytes);
    const c = v128.load(rows + rowBytes * 2);
    const d = v128.load(rows + rowBytes * 3);
    const ab0 = v128.shuffle<f32>(a, b, 0, 4, 1, 5);
    const ab1 = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
    const cd0 = v128.shuffle<f32>(c, d, 0, 4, 1, 5);
    const cd1 = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
    v128.store(strip, v128.shuffle<f32>(ab0, cd0, 0, 1, 4, 5));
    v128.store(strip, v128.shuffle<f32>(ab0, cd0, 2, 3, 6, 7), 32);
    v128.store(strip, v128.shuffle<f32>(ab1, cd1, 0, 1, 4, 5), 64);
    v128.store(strip, v128.shuffle<f32>(ab1, cd1, 2, 3, 6, 7), 96);
    rows += 16;
    strip += 128;
  }
}

/** The inverse of rowsIn. */
function rowsOut(strip: usize, rows: usize, rowBytes: usize, n: i32): void {
  for (let x = 0; x < n; x += 4) {
    const a = v128.load(strip);
    const b = v128.load(strip, 32);
    const c = v128.load(strip, 64);
    const d = v128.load(strip, 96);
    const ab0 = v128.shuffle<f32>(a, b, 0, 4, 1, 5);
    const ab1 = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
    const cd0 = v128.shuffle<f32>(c, d, 0, 4, 1, 5);
    const cd1 = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
    v128.store(rows, v128.shuffle<f32>(ab0, cd0, 0, 1, 4, 5));
    v128.store(rows + rowBytes, v128.shuffle<f32>(ab0, cd0, 2, 3, 6, 7));
    v128.store(rows + rowBytes * 2, v128.shuffle<f32>(ab1, cd1, 0, 1, 4, 5));
    v128.store(rows + rowBytes * 3, v128.shuffle<f32>(ab1, cd1, 2, 3, 6, 7));
    rows += 16;
    strip += 128;
  }
}

/**
 * Transforms an n x n plane in place.
 * @param re f32[n][rowBytes / 4], real parts
 * @param im f32[n][rowBytes / 4], imaginary parts
 * @param rowBytes a multiple of 16; not a power of two for large n (cache sets)
 * @param n 64, 128 or 512
 */
export function fft2d(re: usize, im: usize, rowBytes: usize, n: i32, inverse: bool): void {
  for (let x = 0; x < n; x += 4) {
    const column = (<usize>x) << 2;
    let strip = PING;
    let at = column;
    for (let y = 0; y < n; y++) {
      v128.store(strip, v128.load(re + at));
      v128.store(strip, v128.load(im + at), 16);
      strip += 32;
      at += rowBytes;
    }
    let out = transformStrip(n, inverse);
    at = column;
    for (let y = 0; y < n; y++) {
      v128.store(re + at, v128.load(out));
      v128.store(im + at, v128.load(out, 16));
      out += 32;
      at += rowBytes;
    }
  }
  for (let y = 0; y < n; y += 4) {
    const row = <usize>y * rowBytes;
    rowsIn(re + row, rowBytes, PING, n);
    rowsIn(im + row, rowBytes, PING + 16, n);
    const out = transformStrip(n, inverse);
    rowsOut(out, re + row, rowBytes, n);
    rowsOut(out + 16, im + row, rowBytes, n);
  }
}
