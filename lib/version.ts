/** The version of this package. The build puts it here: see scripts/bundle.js. */
export const MILLRACE_VERSION = '%MILLRACE_VERSION%'
