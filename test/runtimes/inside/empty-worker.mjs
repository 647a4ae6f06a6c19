export default {
  async test() {
    return undefined
  },
}
