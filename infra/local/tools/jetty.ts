/**
 * Starts Java servers bound to loopback. Neither DynamoDB Local nor Temporal's test server can be told an address:
 * their own main classes listen on every interface. Jetty's XML configuration (DynamoDB Local brings Jetty along) is
 * a small program that puts Java objects together as a file says, so the same parts are assembled with a bound
 * address, without any Java of ours.
 *
 * @module
 */

const HEAD = `<?xml version="1.0"?>
<!DOCTYPE Configure PUBLIC "-//Jetty//Configure//EN" "https://www.eclipse.org/jetty/configure_10_0.dtd">
`;

export const JETTY_MAIN = 'org.eclipse.jetty.xml.XmlConfiguration';

/**
 * What DynamoDB Local's own ServerRunner builds for `-sharedDb -dbPath <directory>`, on 127.0.0.1, without telemetry
 * and without CORS (no web page needs it).
 */
export function dynamoDbLocalXml(port: number, directory: string): string {
  const server = 'software.amazon.dynamodb.services.local.server';
  return `${HEAD}<Configure id="server" class="org.eclipse.jetty.server.Server">
  <Call name="addConnector">
    <Arg>
      <New class="org.eclipse.jetty.server.ServerConnector">
        <Arg name="server"><Ref refid="server"/></Arg>
        <Set name="host">127.0.0.1</Set>
        <Set name="port">${port}</Set>
      </New>
    </Arg>
  </Call>
  <Set name="handler">
    <New class="org.eclipse.jetty.server.handler.ContextHandler">
      <Set name="handler">
        <New class="${server}.LocalDynamoDBServerHandler">
          <Arg>
            <New class="${server}.LocalDynamoDBRequestHandler">
              <Arg type="int">0</Arg>
              <Arg type="boolean">false</Arg>
              <Arg>${escapeXml(directory)}</Arg>
              <Arg type="boolean">true</Arg>
              <Arg type="boolean">false</Arg>
            </New>
          </Arg>
          <Arg><Property name="cors"/></Arg>
        </New>
      </Set>
    </New>
  </Set>
</Configure>
`;
}

/** What `TestServer.main <port> [--enable-time-skipping]` builds; the properties `port` and `locked` are given at start. */
export function testServerXml(): string {
  const service = 'io.temporal.internal.testservice';
  return `${HEAD}<Configure id="starter" class="${service}.TestServicesStarter">
  <Arg type="boolean"><Property name="locked" default="true"/></Arg>
  <Arg type="long">0</Arg>
  <Get id="services" name="services"/>
  <Call id="builder" class="io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder" name="forAddress">
    <Arg>
      <New class="java.net.InetSocketAddress">
        <Arg>127.0.0.1</Arg>
        <Arg type="int"><Property name="port"/></Arg>
      </New>
    </Arg>
  </Call>
  <Call class="${service}.GRPCServerHelper" name="registerServicesAndHealthChecks">
    <Arg><Ref refid="services"/></Arg>
    <Arg><Ref refid="builder"/></Arg>
  </Call>
  <Ref refid="builder"><Call id="server" name="build"/></Ref>
  <Ref refid="server"><Call name="start"/></Ref>
</Configure>
`;
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
