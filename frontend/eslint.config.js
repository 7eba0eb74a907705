// What TypeScript's compiler doesn't see: strict rules with types, and no way to make HTML of a text.
import tseslint from "typescript-eslint";

const NO_HTML = "What others wrote is never HTML: let Lit put it in as a text.";

export default tseslint.config(
  { ignores: ["node_modules", "dist", "*.js", "*.mjs"] },
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      eqeqeq: "error",
      "no-eval": "error",
      "no-implied-eval": "error",
      "no-new-func": "error",
      "no-console": "error",
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/no-unused-vars": ["error", { varsIgnorePattern: "^_$" }],
      "no-restricted-properties": [
        "error",
        { property: "innerHTML", message: NO_HTML },
        { property: "outerHTML", message: NO_HTML },
        { property: "insertAdjacentHTML", message: NO_HTML },
        { property: "setHTMLUnsafe", message: NO_HTML },
        { object: "document", property: "write", message: NO_HTML },
      ],
      "no-restricted-imports": [
        "error",
        { patterns: ["lit/directives/unsafe*", "lit/static-html*"] },
      ],
    },
  },
);
