// Luma of RGBA pixels, ITU-R BT.601 weights, in grey levels 0..255; transparent pixels count as lying on
// white, as a shop shows them.

/**
 * @param rgba u8[count][4], not premultiplied
 * @param luma out, f32[count], written in groups of four
 */
export function lumaOfRgba(rgba: usize, luma: usize, count: i32): void {
  const red = f32x4.splat(0.299);
  const green = f32x4.splat(0.587);
  const blue = f32x4.splat(0.114);
  const low = i32x4.splat(255);
  const white = f32x4.splat(255);
  const unit = f32x4.splat(1.0 / 255.0);
  const allOpaque = i32x4.splat(0xff000000);
  for (let i = 0; i < count; i += 4) {
    const pixels = v128.load(rgba);
    const r = f32x4.convert_i32x4_u(v128.and(pixels, low));
    const g = f32x4.convert_i32x4_u(v128.and(i32x4.shr_u(pixels, 8), low));
    const b = f32x4.convert_i32x4_u(v128.and(i32x4.shr_u(pixels, 16), low));
    let y = f32x4.add(f32x4.add(f32x4.mul(r, red), f32x4.mul(g, green)), f32x4.mul(b, blue));
    if (!i32x4.all_true(i32x4.eq(v128.and(pixels, allOpaque), allOpaque))) {
      // Written so that an opaque pixel keeps its luma to the bit, whatever its neighbours are.
      const clear = f32x4.sub(white, f32x4.convert_i32x4_u(i32x4.shr_u(pixels, 24)));
      y = f32x4.add(y, f32x4.mul(f32x4.mul(f32x4.sub(white, y), clear), unit));
    }
    v128.store(luma, y);
    rgba += 16;
    luma += 16;
  }
}

/**
 * @param grey u8[count]
 * @param luma out, f32[count], written in groups of four
 */
export function lumaOfGrey(grey: usize, luma: usize, count: i32): void {
  for (let i = 0; i < count; i += 4) {
    const wide = i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(grey)));
    v128.store(luma, f32x4.convert_i32x4_u(wide));
    grey += 4;
    luma += 16;
  }
}
