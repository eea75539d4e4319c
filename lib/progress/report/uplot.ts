/** uPlot, which draws the charts of the page. The build puts its files here: see scripts/bundle.js. */
export const UPLOT_SCRIPT = '%UPLOT_SCRIPT%'
export const UPLOT_STYLE = '%UPLOT_STYLE%'
/** It must come with each copy of the code. */
export const UPLOT_LICENCE = '%UPLOT_LICENCE%'
