// Apollo Client: persisted queries, its error policies, and its cache.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { ApolloClient, ApolloLink, CombinedGraphQLErrors, HttpLink, InMemoryCache, gql } from "@apollo/client";
import { PersistedQueryLink } from "@apollo/client/link/persisted-queries";
import { authorized, newKey, shop } from "./shop.mjs";

const sha256 = (text) => createHash("sha256").update(text).digest("hex");

/** A client, and what it sends: the method, whether the text of the document went along, and what was said. */
function open(role, options = {}) {
  const sent = [];
  const watched = async (url, request) => {
    const response = await fetch(url, request);
    const body = request.body ? JSON.parse(request.body) : Object.fromEntries(new URL(url).searchParams);
    const answer = await response.clone().json();
    sent.push({ method: request.method, text: "query" in body, status: response.status, code: answer.errors?.[0].extensions.code });
    return response;
  };
  const http = new HttpLink({ uri: shop.url, headers: authorized(role), fetch: watched });
  const link = ApolloLink.from([new PersistedQueryLink({ sha256, ...options }), http]);
  return { sent, client: new ApolloClient({ link, cache: new InMemoryCache() }) };
}

const MEMBER = gql`
  query ApolloMember($id: ID!) {
    member(by: { id: $id }) {
      id
      externalId
      points {
        available
      }
    }
  }
`;

test("Apollo sends the hash of a query, then its text, and then the hash again", async () => {
  const { client, sent } = open("member", { useGETForHashedQueries: true });
  const options = { query: MEMBER, variables: { id: shop.member }, fetchPolicy: "network-only" };
  const first = await client.query(options);
  const second = await client.query(options);
  assert.equal(first.data.member.externalId, "anna");
  assert.deepEqual(second.data, first.data);
  const [unknown, told, known] = sent;
  assert.equal(sent.length, 3);
  assert.deepEqual([unknown.method, unknown.text, unknown.code], ["GET", false, "PERSISTED_QUERY_NOT_FOUND"]);
  assert.deepEqual([told.text, told.code], [true, undefined]);
  assert.deepEqual([known.method, known.text, known.code], ["GET", false, undefined]);
});

test("Apollo throws what is forbidden, or hands it on with the data, as the error policy says", async () => {
  const { client } = open("member");
  const query = gql`
    query ApolloOthers {
      viewer {
        role
      }
      members(first: 1) {
        nodes {
          id
        }
      }
    }
  `;
  await assert.rejects(client.query({ query }), (error) => {
    assert.ok(CombinedGraphQLErrors.is(error));
    assert.equal(error.errors[0].extensions.code, "FORBIDDEN");
    return true;
  });
  const { data, error } = await client.query({ query, errorPolicy: "all" });
  assert.equal(data.viewer.role, "member");
  assert.equal(data.members, null);
  assert.deepEqual(error.errors[0].path, ["members"]);
});

test("Apollo's cache takes the balance from a mutation's payload, and a refusal as data", async () => {
  const { client } = open("member");
  const before = await client.query({ query: MEMBER, variables: { id: shop.member } });
  const mutation = gql`
    mutation ApolloRedeem($input: RedeemPointsInput!) {
      redeemPoints(input: $input) {
        member {
          id
          points {
            available
          }
        }
        errors {
          code
          ... on InsufficientPoints {
            needed
          }
        }
      }
    }
  `;
  const redeem = (points) =>
    client.mutate({ mutation, variables: { input: { member: { id: shop.member }, points, idempotencyKey: newKey() } } });
  const refused = await redeem(1_000_000);
  assert.deepEqual(refused.data.redeemPoints.errors.map(({ code, needed }) => [code, needed]), [["INSUFFICIENT_POINTS", 1_000_000]]);
  await redeem(2);
  const after = client.readQuery({ query: MEMBER, variables: { id: shop.member } });
  assert.equal(after.member.points.available, before.data.member.points.available - 2);
});
