// The version of this package that `npm run bench -- --against COMMIT` compares with: see bench/vite.config.ts.
declare module "slate-yrs-before" {
  export * from "slate-yrs";
}
declare module "slate-yrs-before/slate" {
  export * from "slate-yrs/slate";
}
