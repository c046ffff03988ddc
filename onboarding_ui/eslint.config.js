import js from "@eslint/js";
import jsxA11y from "eslint-plugin-jsx-a11y";
import reactHooks from "eslint-plugin-react-hooks";
import tseslint from "typescript-eslint";

export default tseslint.config(
  { ignores: ["dist", "src/api/schema.gen.ts"] },
  js.configs.recommended,
  {
    files: ["**/*.{ts,tsx}"],
    extends: [
      tseslint.configs.strictTypeChecked,
      reactHooks.configs.flat["recommended-latest"],
      jsxA11y.flatConfigs.strict,
    ],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      "max-lines": ["error", 400],
      "max-lines-per-function": ["error", { max: 60, skipBlankLines: true, skipComments: true }],
      complexity: ["error", 15],
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      "@typescript-eslint/no-misused-promises": [
        "error",
        { checksVoidReturn: { attributes: false } },
      ],
      "no-restricted-imports": [
        "error",
        {
          patterns: [{ group: ["**/api/mock*", "**/api/live*"], message: "Use the API context." }],
        },
      ],
    },
  },
  {
    // Markup is most of a component's lines; what it decides stays as short as elsewhere.
    files: ["**/*.tsx"],
    rules: {
      "max-lines-per-function": ["error", { max: 80, skipBlankLines: true, skipComments: true }],
    },
  },
  {
    // The mock answers at once where the real box takes time: one interface, nothing to await.
    files: ["src/api/mock/**"],
    rules: { "@typescript-eslint/require-await": "off", "max-lines-per-function": "off" },
  },
  {
    files: ["tests/**"],
    rules: { "max-lines-per-function": "off", "no-restricted-imports": "off" },
  },
  {
    files: ["src/main.tsx", "src/api/**"],
    rules: { "no-restricted-imports": "off" },
  },
  {
    files: ["scripts/*.mjs"],
    languageOptions: { globals: { console: "readonly", process: "readonly", URL: "readonly" } },
  },
);
