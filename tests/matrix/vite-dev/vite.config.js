// The engine finds its wasm beside itself, which a pre-bundled copy would not. What the package takes from React is no ES
// module; `@vitejs/plugin-react` would add that line.
export default { optimizeDeps: { exclude: ["slate-yrs"], include: ["react/jsx-runtime"] } };
