/**
 * Checks the search for elements of JSON arrays in random bytes for a given time: `npm run stress -- json --seconds 60 --seed 1`.
 * At the first case that fails it prints the case, made smaller, with its seed, and ends with status 1.
 */
import { PROPERTIES } from './elements.js'
import { checkProperties } from './property-fuzz.js'

checkProperties('json', 'The ends of elements', PROPERTIES)
