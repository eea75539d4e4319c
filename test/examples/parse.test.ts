import { compiled } from './run.js'

const { parse } = (await import(compiled('access-log/parse.js'))) as { parse: (line: string) => unknown }

const START = '10.0.0.1 - ann [17/May/2015:10:05:03 +0000]'
const END = '"http://example.com/" "Agent/1.0 (X; Y)"'

describe('parse()', () => {
  it('reads a line of the combined format', () => {
    const line = `${START} "GET /a/b.png HTTP/1.1" 200 203023 ${END}`
    expect(parse(line)).toEqual({
      address: '10.0.0.1',
      hour: 10,
      path: '/a/b.png',
      status: 200,
      bytes: 203_023,
    })
  })

  it('counts a dash of bytes as 0', () => {
    expect(parse(`${START} "GET / HTTP/1.1" 304 - ${END}`)).toMatchObject({ status: 304, bytes: 0 })
  })

  it.each([
    ['GET /search?q=1&page=2 HTTP/1.1', '/search'],
    ['GET /? HTTP/1.0', '/'],
    ['GET /', '/'],
    ['OPTIONS * HTTP/1.1', '*'],
    [String.raw`GET /say\"hi\" HTTP/1.1`, String.raw`/say\"hi\"`],
    [String.raw`\x16\x03\x01`, String.raw`\x16\x03\x01`],
    ['-', '-'],
    ['', '-'],
  ])('takes from the request %j the path %j', (request, path) => {
    expect(parse(`${START} "${request}" 200 5 ${END}`)).toMatchObject({ path, bytes: 5 })
  })

  it('takes quotes with a backslash before them as part of a quoted field', () => {
    expect(parse(`${START} "GET / HTTP/1.1" 200 5 "\\"" "a \\"b\\" \\\\"`)).toMatchObject({ bytes: 5 })
  })

  it.each([
    ['', undefined],
    ['this is no line of an access log', undefined],
    [`${START} "GET / HTTP/1.1"`, undefined],
    [`${START} "GET / HTTP/1.1" 99 5 ${END}`, undefined],
    [`${START} "GET "/" HTTP/1.1" 200 5 ${END}`, undefined],
    [`10.0.0.1 - - [17/May/2015:24:05:03 +0000] "GET / HTTP/1.1" 200 5 ${END}`, undefined],
    [` ${START} "GET / HTTP/1.1" 200 5 ${END}`, undefined],
    [`${START} "GET / HTTP/1.1" 404`, 404],
    [`${START} "GET / HTTP/1.1" 200 5`, 200],
    [`${START} "GET / HTTP/1.1" 200 5x ${END}`, 200],
    [`${START} "GET / HTTP/1.1" 200 1234567890123456 ${END}`, 200],
    [`${START} "GET / HTTP/1.1" 200 5 "-" "cut of`, 200],
    [`${START} "GET / HTTP/1.1" 200 5 "-" "a \\"`, 200],
    [`${START} "GET / HTTP/1.1" 200 5 ${END} 0.004`, 200],
  ])('calls %j malformed, with the status %p', (line, status) => {
    expect(parse(line)).toEqual({ malformed: line, status })
  })

  it('keeps the start and the end of a long malformed line', () => {
    expect(parse(`<${'x'.repeat(1_000_000)}>`)).toEqual({
      malformed: `<${'x'.repeat(119)}…${'x'.repeat(119)}>`,
      status: undefined,
    })
  })

  it('stands lines made to be slow or deep', () => {
    const escapes = '\\"'.repeat(32_700)
    expect(parse(`- - - [17/May/2015:10:05:03 +0000] "${escapes}" 200 5 "" ""`)).toMatchObject({ path: escapes })
    expect(parse(`${START} "${'\\"'.repeat(5_000_000)}" 200 5 ${END}`)).toMatchObject({ status: undefined })
    expect(parse(`${START} "GET /" 200 5 "${'\\"'.repeat(5_000_000)}" "-"`)).toMatchObject({ status: 200 })
  })
})
