// A page is served from the site's root by default; "./" lets it stand under any path.
export default { base: "./" };
