/** The style sheet of the page: in the colours that the reader's system prefers, and good to print. */
export const PAGE_STYLE = `
:root {
  color-scheme: light dark;
  --ground: #f6f7f8; --card: #fff; --text: #1c2024; --faint: #60646c; --grid: #e4e6e9;
  --line0: #0a6bc2; --line1: #c2570a; --fill0: #0a6bc21f;
  --good: #18794e; --warning: #ad5700; --bad: #c62a2f;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #111315; --card: #1a1d20; --text: #edeef0; --faint: #a0a4ab; --grid: #2e3237;
    --line0: #5eb1ff; --line1: #ff9e57; --fill0: #5eb1ff24;
    --good: #4cc38a; --warning: #f5a94f; --bad: #ff8589;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--text); font: 14px/1.5 system-ui, sans-serif; }
main { max-width: 1200px; margin: 0 auto; padding: 24px 20px 48px; }
h1 { margin: 0; font-size: 22px; line-height: 1.3; overflow-wrap: anywhere; }
h2 { margin: 0 0 8px; font-size: 15px; }
p { margin: 6px 0; }
.faint, th { color: var(--faint); }
.state { font-weight: 600; }
.good { color: var(--good); } .warning { color: var(--warning); } .bad { color: var(--bad); }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; margin: 18px 0 12px; }
.card { background: var(--card); border: 1px solid var(--grid); border-radius: 8px; padding: 14px 16px; min-width: 0; }
.figure b { display: block; font-size: 22px; line-height: 1.3; font-variant-numeric: tabular-nums; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 480px), 1fr)); gap: 12px; margin: 12px 0; }
.charts .card { padding-bottom: 6px; }
.charts .card:last-child:nth-child(odd) { grid-column: 1 / -1; }
.wide { margin-top: 12px; overflow-x: auto; }
.wide table { min-width: 640px; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: 4px 12px 4px 0; text-align: left; vertical-align: top; border-top: 1px solid var(--grid); overflow-wrap: anywhere; }
thead th { border-top: 0; font-weight: 500; white-space: nowrap; }
td.n, th.n { text-align: right; white-space: nowrap; }
td.short { white-space: nowrap; }
code { font: 13px ui-monospace, monospace; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 4px 16px; margin: 0; }
dt { color: var(--faint); } dd { margin: 0; overflow-wrap: anywhere; min-width: 0; }
.histogram { display: block; width: 100%; height: 150px; }
.histogram rect { fill: var(--line0); }
.scale { display: flex; justify-content: space-between; color: var(--faint); font-size: 12px; }
.u-legend { text-align: left !important; font-size: 13px !important; margin: 2px 0 0 !important; }
.u-legend th, .u-legend td { border: 0; padding: 2px 4px !important; }
.u-legend tr { margin-right: 12px !important; }
.u-select { background: #8884 !important; }
@media print { body { background: none; } .card { break-inside: avoid; } }
`
