// The one error of the SDK. Codes are stable and shared with the service's problems.

/** Why a file, picture or template was refused. */
export type LabelErrorCode =
  | "picture-too-small"
  | "picture-too-large"
  | "picture-empty"
  | "picture-flat"
  | "picture-animated"
  | "file-unknown"
  | "file-unsupported"
  | "file-broken"
  | "metadata-invalid"
  | "label-lost"
  | "template-invalid"
  | "out-of-memory";

/** A refusal that a caller should expect and show; programmer errors are RangeError and TypeError. */
export class LabelError extends Error {
  readonly code: LabelErrorCode;

  constructor(code: LabelErrorCode, message: string) {
    super(message);
    this.name = "LabelError";
    this.code = code;
  }
}
