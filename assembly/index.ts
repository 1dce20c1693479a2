// The boundary of the kernel: functions and integer constants, numbers only. The only caller is
// sdk/engine.ts; what lies at each address is told where the constant is defined.
export { applyRows, beginApply, meanSquare } from "./apply";
export { KEY, useKey } from "./carriers";
export {
  bestCorrelation,
  bestPilotScore,
  detect,
  FINDING_BYTES,
  FINDINGS,
  KEYS,
  MAX_FINDINGS,
  MAX_KEYS,
  readsMade,
} from "./detect";
export { addChange, studyPlane, weave } from "./embed";
export { lumaRange } from "./planes";
export { MAX_SIDE, meanSsim } from "./quality";
export { beginPicture, endPicture, pushGrey, pushRgba, STRIP, STRIP_PIXELS } from "./resample";
export { measureMargin, readBack, weaveChecked } from "./strengthen";
export { TEMPLATE, TEMPLATE_BYTES, useTemplate, writeTemplate } from "./template";
