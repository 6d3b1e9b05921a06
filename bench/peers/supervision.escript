#!/usr/bin/env escript
%% The measurements of bench/supervision.cpp on Erlang/OTP: one JSON object on standard output.
%%! +P 2000000 -noshell
-mode(compile).
-export([init/1, handle_call/3, handle_cast/2, handle_info/2]).

main(["--children", ChildrenText, "--killed", KilledText, "--restarts", RestartsText]) ->
    [Children, Killed, Restarts] = [list_to_integer(T) || T <- [ChildrenText, KilledText, RestartsText]],
    process_flag(trap_exit, true),
    error_logger_off(),
    {OneStart, OneStop, OneMemory} = start_and_stop(one_for_one, Children),
    {SimpleStart, SimpleStop, SimpleMemory} = start_and_stop(simple_one_for_one, Children),
    {P50, P99} = kill_one(Restarts),
    Recovery = case Killed of
                   0 -> 0.0;
                   _ -> kill_many(Children, Killed)
               end,
    io:format("{\"start_us\":~.3f,\"stop_us\":~.3f,\"memory_bytes\":~.1f,"
              "\"simple_start_us\":~.3f,\"simple_stop_us\":~.3f,\"simple_memory_bytes\":~.1f,"
              "\"restart_p50_us\":~.3f,\"restart_p99_us\":~.3f,\"recovery_s\":~.4f,\"version\":\"OTP ~s\"}~n",
              [OneStart, OneStop, OneMemory, SimpleStart, SimpleStop, SimpleMemory, P50, P99, Recovery,
               erlang:system_info(otp_release)]).

%% Reports of deaths are not written, here as there.
error_logger_off() ->
    logger:set_primary_config(level, none).

flags(Strategy) -> #{strategy => Strategy, intensity => 1000000000, period => 1}.

init({supervisor, Flags, Specs}) -> {ok, {Flags, Specs}};
init({child, Who}) ->
    Who ! {started, self()},
    {ok, none};
init(child) -> {ok, none}.

handle_call(_, _, State) -> {reply, ok, State}.
handle_cast(_, State) -> {noreply, State}.
handle_info(_, State) -> {noreply, State}.

supervisor_of(Strategy, Specs) ->
    {ok, Sup} = supervisor:start_link(?MODULE, {supervisor, flags(Strategy), Specs}),
    Sup.

child(Args) -> {gen_server, start_link, [?MODULE, Args, []]}.

stop(Sup) ->
    exit(Sup, shutdown),
    receive {'EXIT', Sup, _} -> ok end.

start_and_stop(Strategy, Count) ->
    Sup = case Strategy of
              one_for_one -> supervisor_of(one_for_one, []);
              simple_one_for_one ->
                  supervisor_of(simple_one_for_one, [#{id => child, start => child(child)}])
          end,
    garbage_collect(Sup),
    {memory, Before} = process_info(Sup, memory),
    {Started, _} = timer:tc(fun() -> start(Strategy, Sup, Count) end),
    garbage_collect(Sup),
    {memory, After} = process_info(Sup, memory),
    {Stopped, _} = timer:tc(fun() -> stop(Sup) end),
    {Started / Count, Stopped / Count, (After - Before) / Count}.

start(_, _, 0) -> ok;
start(one_for_one, Sup, N) ->
    {ok, _} = supervisor:start_child(Sup, #{id => N, start => child(child)}),
    start(one_for_one, Sup, N - 1);
start(simple_one_for_one, Sup, N) ->
    {ok, _} = supervisor:start_child(Sup, []),
    start(simple_one_for_one, Sup, N - 1).

kill_one(Count) ->
    Sup = supervisor_of(one_for_one, [#{id => child, start => child({child, self()})}]),
    First = receive {started, Pid} -> Pid end,
    Times = lists:sort(kill_again(First, Count)),
    stop(Sup),
    {lists:nth(Count div 2 + 1, Times) / 1000, lists:nth(Count * 99 div 100, Times) / 1000}.

kill_again(_, 0) -> [];
kill_again(Pid, N) ->
    Begin = erlang:monotonic_time(nanosecond),
    exit(Pid, kill),
    Next = receive {started, New} -> New end,
    [erlang:monotonic_time(nanosecond) - Begin | kill_again(Next, N - 1)].

kill_many(Children, Killed) ->
    Sup = supervisor_of(one_for_one, []),
    Pids = [begin
                {ok, Pid} = supervisor:start_child(Sup, #{id => N, start => child({child, self()})}),
                receive {started, Pid} -> Pid end
            end || N <- lists:seq(1, Children)],
    {Victims, _} = lists:split(Killed, Pids),
    {Time, _} = timer:tc(fun() ->
                               [exit(Pid, kill) || Pid <- Victims],
                               await(Killed)
                       end),
    stop(Sup),
    Time / 1000000.

await(0) -> ok;
await(N) -> receive {started, _} -> await(N - 1) end.
