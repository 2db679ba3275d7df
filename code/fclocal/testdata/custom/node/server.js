// A function in JavaScript: it answers with its event, and fails on one that is "fail".
const http = require("http");

const server = http.createServer((request, response) => {
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    const event = Buffer.concat(chunks);
    console.log(request.url, request.headers["x-fc-request-id"]);
    const failed = event.toString() === '"fail"';
    response.writeHead(failed ? 404 : 200, { "x-fc-status": failed ? "404" : "200" });
    response.end(failed ? JSON.stringify({ errorMessage: "as told", errorType: "Error" }) : event);
  });
});
server.listen(process.env.INSIST || process.env.FC_SERVER_PORT, "0.0.0.0");
