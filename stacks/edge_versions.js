// /v1/… and /v1.2/… are answered with the newest version of theirs. The rewritten address is the one that is cached, so
// another list takes effect at once: there is nothing to invalidate.
var NEWEST = {} /* newest */;

function handler(event) {
  var request = event.request;
  var end = request.uri.indexOf('/', 1);
  var asked = request.uri.substring(2, end);
  if (Object.prototype.hasOwnProperty.call(NEWEST, asked)) {
    request.uri = '/v' + NEWEST[asked] + request.uri.substring(end);
  }
  return request;
}
