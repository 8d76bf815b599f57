// CloudFront serves objects, not folders: /demo/ means /demo/index.html, and /demo means /demo/.
// Pages stand on one host: the API answers to that origin alone, so the names beside it lead there.
var BESIDE = ['www.', 'widgets.', 'log.'];

function handler(event) {
  var request = event.request;
  var uri = onThisHost(request.uri);
  var host = request.headers.host ? request.headers.host.value : '';
  for (var i = 0; i < BESIDE.length; i++) {
    if (host.indexOf(BESIDE[i]) === 0) {
      return moved('https://' + host.substring(BESIDE[i].length) + uri + query(request.querystring));
    }
  }
  if (uri.endsWith('/')) {
    request.uri = uri + 'index.html';
    return request;
  }
  var last = uri.substring(uri.lastIndexOf('/') + 1);
  if (last.indexOf('.') !== -1) {
    return request;
  }
  return moved(uri + '/' + query(request.querystring));
}

// To a browser two slashes begin another host's name, and a backslash is a slash: one slash is left, however the others were
// written.
function onThisHost(uri) {
  return '/' + uri.replace(/^(?:[\/\\\s]|%2f|%5c|%09|%0a|%0d)+/i, '');
}

function moved(location) {
  return {
    statusCode: 301,
    statusDescription: 'Moved Permanently',
    headers: { location: { value: location } },
  };
}

// As it came: names and values are still encoded here.
function query(found) {
  var parts = [];
  for (var name in found) {
    var values = found[name].multiValue || [found[name]];
    for (var i = 0; i < values.length; i++) {
      parts.push(values[i].value === '' ? name : name + '=' + values[i].value);
    }
  }
  return parts.length ? '?' + parts.join('&') : '';
}
