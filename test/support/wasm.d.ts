// A Worker imports WASM as compiled modules.
declare module "*.wasm" {
  const module: WebAssembly.Module;
  export default module;
}
