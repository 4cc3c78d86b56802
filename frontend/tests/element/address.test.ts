import { expect, test } from 'vitest'

import { addressIn } from '../../src/element/address'

test.each([
  [
    'Error\n    at https://a.test/ui/chatkit-x1.js:1:4711\n    at f (https://a.test/b.js:2:1)',
    'https://a.test/ui/chatkit-x1.js',
  ],
  ['Error\n    at f (http://127.0.0.1:8000/chatkit.js:1:20)', 'http://127.0.0.1:8000/chatkit.js'],
  [
    'f@https://a.test/chatkit.js:1:20\n@https://a.test/chatkit.js:3:1\n',
    'https://a.test/chatkit.js',
  ],
  ['module code@https://a.test/chatkit.js?v=2:1:20', 'https://a.test/chatkit.js?v=2'],
  ['Error\n    at <anonymous>', null],
])('the address of the script in %j', (stack, address) => expect(addressIn(stack)).toBe(address))
