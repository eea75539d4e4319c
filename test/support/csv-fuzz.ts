/**
 * Checks the search for records with quotes in random bytes for a given time: `npm run stress -- csv --seconds 60 --seed 1`.
 * At the first case that fails it prints the case, made smaller, with its seed, and ends with status 1.
 */
import { checkProperties } from './property-fuzz.js'
import { PROPERTIES } from './quoted.js'

checkProperties('csv', 'Records with quotes', PROPERTIES)
