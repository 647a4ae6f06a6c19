// Inside workerd: the input is the body of the request.
import { conform } from './suite.js'

export default {
  async fetch(request) {
    return Response.json(await conform(await request.json()))
  },
}
