/** As `csv`, with all fields in quotes, and notes of several lines. */
import { csvCase } from './csv.js'

export default csvCase('csv-quoted', 'the same with quotes and fields of several lines, CPU time', 'quoted')
