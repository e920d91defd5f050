# Kafka Connect with Debezium and the Avro converter: the files that connectors/pom.xml pins, on Kafka's own image.
FROM maven:3.9-eclipse-temurin-17 AS plugins
COPY connectors/pom.xml /build/pom.xml
RUN mvn -q -B -f /build/pom.xml -Pconverter dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory=/plugins/avro-converter \
 && mvn -q -B -f /build/pom.xml -Pdebezium dependency:unpack-dependencies -DincludeTypes=tar.gz -DoutputDirectory=/plugins \
 && rm -rf /plugins/PaxHeaders.X

FROM apache/kafka:4.2.2
COPY --from=plugins /plugins /opt/plugins
COPY deploy/config/connect.properties /opt/connect.properties
USER root
RUN /opt/kafka/bin/connect-plugin-path.sh sync-manifests --plugin-path /opt/plugins
USER appuser
EXPOSE 8083
HEALTHCHECK --interval=5s --timeout=5s --start-period=60s --retries=24 CMD wget -q -O /dev/null http://127.0.0.1:8083/connectors || exit 1
CMD ["/opt/kafka/bin/connect-distributed.sh", "/opt/connect.properties"]
