// The exports of build/tessera.wasm as assembly/index.ts makes them: addresses, counts and functions, numbers
// only. What lies at each address is told where the constant is defined.

export interface Kernel {
  readonly memory: WebAssembly.Memory;
  readonly STRIP: WebAssembly.Global;
  readonly STRIP_PIXELS: WebAssembly.Global;
  readonly MAX_SIDE: WebAssembly.Global;
  readonly KEY: WebAssembly.Global;
  readonly KEYS: WebAssembly.Global;
  readonly MAX_KEYS: WebAssembly.Global;
  readonly FINDINGS: WebAssembly.Global;
  readonly FINDING_BYTES: WebAssembly.Global;
  readonly MAX_FINDINGS: WebAssembly.Global;
  readonly TEMPLATE: WebAssembly.Global;
  readonly TEMPLATE_BYTES: WebAssembly.Global;
  beginPicture(width: number, height: number, embedding: boolean): number;
  pushRgba(rows: number): void;
  pushGrey(rows: number): void;
  endPicture(): void;
  useKey(key: number): void;
  writeTemplate(label: bigint): void;
  useTemplate(): number;
  lumaRange(): number;
  studyPlane(): void;
  weave(strength: number): void;
  weaveChecked(strength: number, factor: number): void;
  addChange(): void;
  readBack(): number;
  measureMargin(factor: number): number;
  beginApply(width: number, height: number): void;
  applyRows(rows: number, measure: boolean): void;
  meanSquare(): number;
  meanSsim(): number;
  detect(keys: number, most: number, wholeFrameOnly: boolean): number;
  readsMade(): number;
  bestCorrelation(): number;
  bestPilotScore(): number;
}
