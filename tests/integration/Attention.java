import java.util.ArrayDeque;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import loyalty.flume.AttentiveSinkProcessor;
import org.apache.flume.Context;
import org.apache.flume.EventDeliveryException;
import org.apache.flume.Sink;
import org.apache.flume.instrumentation.SinkCounter;
import org.apache.flume.sink.AbstractSink;

/**
 * AttentiveSinkProcessor over a sink that finds what the arguments say, one after the other: LINES,
 * EMPTY, FAILING (as HDFS's sink says it) or THROWN. Prints what the runner hears, and how many ms
 * that took.
 */
public class Attention {
    public static void main(String[] arguments) {
        Queue<String> finds = new ArrayDeque<>(List.of(arguments));
        SinkCounter counter = new SinkCounter("fake");
        counter.start();
        AttentiveSinkProcessor processor = new AttentiveSinkProcessor();
        AbstractSink sink = new AbstractSink() {
            @Override
            public Sink.Status process() throws EventDeliveryException {
                switch (finds.remove()) {
                    case "LINES":
                        return Sink.Status.READY;
                    case "EMPTY":
                        counter.incrementBatchEmptyCount();
                        return Sink.Status.BACKOFF;
                    case "FAILING":
                        return Sink.Status.BACKOFF;
                    default:
                        throw new EventDeliveryException("THROWN");
                }
            }
        };
        sink.setName("fake");
        processor.setSinks(List.of(sink));
        processor.configure(new Context(Map.of("pauseStep", "1000", "pauseMost", "2500")));
        while (!finds.isEmpty()) {
            long begun = System.nanoTime();
            String heard;
            try {
                heard = processor.process().name();
            } catch (EventDeliveryException failed) {
                heard = failed.getMessage();
            }
            System.out.println("heard " + heard + " " + (System.nanoTime() - begun) / 1_000_000);
        }
    }
}
