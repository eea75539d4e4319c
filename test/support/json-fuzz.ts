/**
 * Checks the search for elements of JSON arrays, and for members of objects, in random bytes for a given time: `npm run stress -- json --seconds 60 --seed 1`.
 * At the first case that fails it prints the case, made smaller, with its seed, and ends with status 1.
 */
import { PROPERTIES } from './elements.js'
import { PROPERTIES as MEMBERS } from './json-records.js'
import { checkProperties } from './property-fuzz.js'

checkProperties('json', 'The ends of elements, or the members of objects,', { ...PROPERTIES, ...MEMBERS })
