/** The values that users entered into widgets, kept while the widgets are not on the page. */

export type FieldValue = string | boolean

/** The values that differ from the initial ones, by form and name. */
export type KeptFields = Map<string, { initial: FieldValue; value: FieldValue }>
